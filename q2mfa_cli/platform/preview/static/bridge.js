// UUX's side of the Tecton bridge: answers requests of the page in the outlet, and of no other.

/**
 * @param {() => HTMLIFrameElement} outlet the current outlet
 * @param {string} origin the extension's. If the outlet is elsewhere (at an identity provider), it gets no answer.
 * @param {Record<string, Record<string, (argument: unknown) => unknown>>} functions by kind and name
 */
export function listen(outlet, origin, functions) {
  // A new page must not get the answers meant for the page before it. Each page begins with `connect`.
  let currentPage = 0;

  addEventListener("message", async (event) => {
    if (event.source !== outlet().contentWindow || event.origin !== origin || !event.data?.tecton) return;
    const { id, kind, name, argument } = event.data.tecton;
    if (kind === "connect") currentPage += 1;
    const page = currentPage;
    if (kind === "failure") return void functions.failure.failure(argument);
    const answer = { id };
    try {
      const isKnown = Object.hasOwn(functions, kind) && Object.hasOwn(functions[kind], name);
      if (!isKnown) throw new Error(`q2mfa preview has no tecton.${kind}.${name}`);
      answer.value = await functions[kind][name](argument);
    } catch (error) {
      // A rejection by the platform is a plain object; an Error is a mistake in the call.
      if (error instanceof Error) answer.error = error.message;
      else answer.rejection = error;
    }
    // A page that is gone has no window.
    if (page === currentPage) event.source?.postMessage({ tecton: answer }, origin);
  });
}
