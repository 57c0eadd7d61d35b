(() => {
  "use strict";

  const { ask, confirm, fail, part, run, show, showName, showPurpose, start } = externalMfa;
  // The texts of assets/languages/en-US.json, for where Tecton has none.
  const ENGLISH = {
    "language": "en-US",
    "title": "Confirm it is you",
    "signing_in": "You are signing in.",
    "transactions": "{count, plural, one {# transaction} other {# transactions}}: {list}",
    "transactions_folded": "{count, plural, one {# transaction} other {# transactions}}",
    "action": "You are confirming: {name}",
    "purpose": "Online banking needs to make sure it is you.",
    "provider": "You continue at {name} and then come back here.",
    "continue": "Continue",
    "leaving": "Taking you to the sign-in service …",
    "try_again": "Try again",
    "cancel": "Cancel",
    "connecting": "Connecting …",
    "checking": "Checking …",
    "canceling": "Canceling …",
    "confirmed": "Confirmed.",
    "page_failed": "This page could not be loaded. Reload online banking and start again, or call us.",
    "error_not_connected": "We could not connect to online banking. Check your connection and try again. If that does not help, reload online banking.",
    "error_not_supported": "This version of online banking cannot take your confirmation. Reload online banking, or call us.",
    "error_failed": "Something went wrong. Please try again in a moment.",
    "error_access_denied": "You did not confirm it. Try again, or cancel.",
    "error_login_required": "You have to sign in for this. Please try again.",
    "error_interaction_required": "You have to sign in for this. Please try again.",
    "error_consent_required": "You have to agree at the sign-in service for this. Please try again.",
    "error_temporarily_unavailable": "The sign-in service is busy. Please try again in a moment.",
    "error_provider_unavailable": "The sign-in service cannot be reached. Please try again in a moment.",
    "error_provider_error": "The sign-in service could not confirm it. Please try again.",
    "error_expired": "This took too long, or was started a second time. Please try again.",
    "error_not_trusted": "We could not make sure that the answer came from the sign-in service. Please try again.",
    "error_too_old": "You have to sign in again for this, even if you did so recently. Please try again.",
    "error_too_weak": "You have to sign in with a stronger method for this. Please try again.",
    "error_wrong_user": "You signed in there as someone else. Please try again with your own account.",
    "error_not_linked": "Your account is not linked with the sign-in service yet. Please call us.",
    "error_not_configured": "This way of confirming is not set up yet. Please call us.",
    "error_not_returned": "You have not come back from the sign-in service yet. Please try again.",
    "error_rejected": "Your confirmation did not go through. Please try again."
  };
  // For these, trying again cannot help.
  const STATES = { not_linked: "final", not_configured: "final" };
  const LEFT = "mfa-left";
  const FRAMING =
    "If the sign-in page stays empty, the identity provider does not allow it to be shown in a frame. Let it send " +
    "“Content-Security-Policy: frame-ancestors” with " +
    `${location.ancestorOrigins?.[0] ?? "the address of online banking"}, and no “X-Frame-Options”.`;

  const page = document.getElementById("mfa");
  const callback = globalThis.mfaCallback; // from verify.js
  delete globalThis.mfaCallback;
  let provider;

  // Whether the customer left and never came back is known to this frame only, and only where it may keep something.
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
    show("busy", "leaving");
    const url = (await ask("start")).authorization_url;
    left(true);
    // Back must not lead to this page: it would be posted again, or send the customer away again.
    location.replace(url);
  }

  async function comeBack() {
    show("busy", "checking");
    return confirm(await ask("token_handler", callback));
  }

  // Not shown to customers unless they open it.
  function explainFraming() {
    const [note, title] = ["details", "summary"].map((name) => document.createElement(name));
    note.lang = "en";
    title.textContent = "For the bank’s developers";
    note.append(title, FRAMING);
    page.append(note);
  }

  function translate() {
    if (provider) showName(part("provider"), "provider", provider);
  }

  async function begin() {
    if (callback) {
      left(false);
      return comeBack();
    }
    if (page.dataset.page === "verify") {
      history.replaceState(null, "", location.pathname); // verify.js did not run
      return fail("failed");
    }
    const data = await ask("default");
    provider = data.provider;
    translate();
    showPurpose(data.purpose);
    if (!left(false)) return show("ready");
    explainFraming();
    return fail("not_returned");
  }

  part("main").addEventListener("click", () => run(leave));
  start({ english: ENGLISH, states: STATES, begin, again: leave, translate });
})();
