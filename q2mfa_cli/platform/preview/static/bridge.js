// UUX's side of the Tecton bridge: takes what the page in the outlet asks for, and only from there.

/**
 * @param {HTMLIFrameElement} frame the outlet
 * @param {string} origin the extension's; whatever else the outlet has moved to (an identity provider) is not answered
 * @param {Record<string, Record<string, (argument: unknown) => unknown>>} knows by kind and name: what can be asked for
 */
export function listen(frame, origin, knows) {
  // A page that has left must not get the next one's answers: each page begins with `connect`.
  let page = 0;

  addEventListener("message", async (event) => {
    if (event.source !== frame.contentWindow || event.origin !== origin || !event.data?.tecton) return;
    const { id, kind, name, argument } = event.data.tecton;
    if (kind === "connect") page += 1;
    const asking = page;
    const answer = { id };
    try {
      const known = Object.hasOwn(knows, kind) && Object.hasOwn(knows[kind], name);
      if (!known) throw new Error(`q2mfa preview does not play tecton.${kind}.${name}`);
      answer.value = await knows[kind][name](argument);
    } catch (error) {
      answer.error = { message: error.message, ...error };
    }
    // A page that is gone meanwhile has no window left, and wants no answer.
    if (asking === page) event.source?.postMessage({ tecton: answer }, origin);
  });
}
