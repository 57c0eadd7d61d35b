(() => {
  "use strict";

  const MESSAGES = {
    access_denied: "You did not confirm it. Try again, or cancel.",
    login_required: "You have to sign in for this. Please try again.",
    interaction_required: "You have to sign in for this. Please try again.",
    consent_required: "You have to agree at the sign-in service for this. Please try again.",
    temporarily_unavailable: "The sign-in service is busy. Please try again in a moment.",
    provider_unavailable: "The sign-in service cannot be reached. Please try again in a moment.",
    provider_error: "The sign-in service could not confirm it. Please try again.",
    expired: "This took too long, or was started a second time. Please try again.",
    not_trusted: "We could not make sure that the answer came from the sign-in service. Please try again.",
    too_old: "You have to sign in again for this, even if you did so lately. Please try again.",
    too_weak: "For this you have to sign in with a stronger method. Please try again.",
    wrong_user: "You signed in there as somebody else. Please try again with your own account.",
    not_linked: "Your account is not linked with the sign-in service yet. Please call us.",
    not_configured: "This way of confirming is not set up yet. Please call us.",
    rejected: "Your confirmation did not go through. Please try again.",
    not_returned: "You have not come back from the sign-in service yet. Please try again.",
    failed: "Something went wrong. Please try again in a moment.",
  };
  // For these, trying again cannot help.
  const FINAL = ["not_linked", "not_configured"];
  const LEFT = "mfa-left";
  const FRAMING =
    "If the sign-in page stays empty, the identity provider does not allow it to be shown in a frame. Let it send " +
    "“Content-Security-Policy: frame-ancestors” with " +
    `${location.ancestorOrigins?.[0] ?? "the address of online banking"}, and no “X-Frame-Options”.`;

  const callback = globalThis.mfaCallback;
  delete globalThis.mfaCallback;
  const [page, go, cancel, message] = ["mfa", "go", "cancel", "message"].map((id) => document.getElementById(id));
  // The way to the provider, and when (performance.now) it ends; from the server where it renders the page.
  let way = { url: page.dataset.url, until: Number(page.dataset.seconds) * 1000 - 5000 };

  // States: ready, busy, failed (another try may help), final, done.
  function show(state, text) {
    page.dataset.state = state;
    go.disabled = state === "busy" || state === "done";
    go.hidden = state === "final";
    go.textContent = state === "failed" ? "Try again" : "Continue";
    cancel.disabled = go.disabled;
    message.textContent = text;
    if (state === "failed" || state === "final") message.focus();
  }

  function fail(code) {
    way = {};
    show(FINAL.includes(code) ? "final" : "failed", MESSAGES[code] ?? MESSAGES.failed);
  }

  // [guess] What a rejected requestExtensionData holds; the backend's TectonError carries {code}.
  function codeOf(error) {
    const code = error?.data?.code ?? error?.data?.data?.code ?? error?.code;
    return Object.hasOwn(MESSAGES, code) ? code : "failed";
  }

  // [guess] The shape of set_external_mfa_token's result.
  function tokenOf(data) {
    return typeof data === "string" ? data : data.token;
  }

  // Whether the user left and never came back is known to this frame only, and only where it may keep something.
  function left(value) {
    try {
      const before = sessionStorage.getItem(LEFT);
      if (value) sessionStorage.setItem(LEFT, "yes");
      else sessionStorage.removeItem(LEFT);
      return before !== null;
    } catch {
      return false;
    }
  }

  async function leave() {
    show("busy", "Taking you to the sign-in service …");
    try {
      if (!way.url || performance.now() > way.until) {
        const { data } = await tecton.sources.requestExtensionData({ route: "start", body: {} });
        way = { url: data.authorization_url };
      }
      left(true);
      location.assign(way.url);
    } catch (error) {
      fail(codeOf(error));
    }
  }

  async function comeBack() {
    show("busy", "Checking …");
    let token;
    try {
      const response = await tecton.sources.requestExtensionData({ route: "token_handler", body: callback });
      token = tokenOf(response.data);
    } catch (error) {
      return fail(codeOf(error));
    }
    try {
      await tecton.actions.verifyMFA({ token });
      show("done", "Confirmed.");
    } catch {
      fail("rejected");
    }
  }

  function ready() {
    if (page.dataset.error) return fail(page.dataset.error);
    if (!left(false)) return show("ready", "");
    const [note, title] = ["details", "summary"].map((name) => document.createElement(name));
    title.textContent = "For the bank’s developers";
    note.append(title, FRAMING);
    page.append(note);
    show("failed", MESSAGES.not_returned);
  }

  go.addEventListener("click", leave);
  cancel.addEventListener("click", () => tecton.actions.verifyMFA({ exit: true }));

  show("busy", "");
  tecton.connected.then(async () => {
    if (callback) {
      left(false);
      return comeBack();
    }
    const { data } = await tecton.sources.requestExtensionData({ route: "default", body: {} });
    for (const line of data.purpose) {
      const item = document.createElement("li");
      item.textContent = line;
      document.getElementById("purpose").append(item);
    }
    document.getElementById("provider").textContent = data.provider;
    ready();
  }).catch(() => fail("failed"));
})();
