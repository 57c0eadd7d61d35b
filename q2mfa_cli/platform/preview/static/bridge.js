// UUX's side of the Tecton bridge. It answers the page in the outlet only.

/**
 * @param {() => HTMLIFrameElement} outlet the current outlet
 * @param {string} origin the extension's. The bridge does not answer pages of other origins, such as an identity provider's.
 * @param {Record<string, Record<string, (argument: unknown) => unknown>>} functions by kind and name
 */
export function listen(outlet, origin, functions) {
  // A page must not receive answers for the previous page. Each page begins with `connect`.
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
      // The platform rejects with a plain object; an Error means that the call was wrong.
      if (error instanceof Error) answer.error = error.message;
      else answer.rejection = error;
    }
    // A closed page has no window.
    if (page === currentPage) event.source?.postMessage({ tecton: answer }, origin);
  });
}
