(() => {
  "use strict";

  const { ask, confirm, part, run, show, showPurpose, start } = externalMfa;
  // The texts of assets/languages/en-US.json, for where Tecton has none.
  const ENGLISH = {
    "language": "en-US",
    "title": "Confirm it is you",
    "signing_in": "You are signing in.",
    "transactions": "{count, plural, one {# transaction} other {# transactions}}: {list}",
    "transactions_folded": "{count, plural, one {# transaction} other {# transactions}}",
    "action": "You are confirming: {name}",
    "purpose": "Online banking needs to make sure it is you.",
    "confirm": "Confirm",
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
    "error_incomplete": "Type all 6 digits of the code.",
    "error_locked": "Too many wrong codes. Wait a few minutes, then try again, or call us.",
    "error_cache_unavailable": "We cannot check your confirmation at the moment. Please try again in a few minutes.",
    "code_label": "6-digit code from your authenticator app",
    "error_wrong_passcode": "That code is not right. Check your authenticator app and type the code it shows now.",
    "error_used_passcode": "That code was used before. Wait for the next one in your authenticator app.",
    "error_not_registered": "Your authenticator app is not registered with us yet. Please call us.",
    "error_rejected": "Your confirmation did not go through. Wait for the next code in your authenticator app, and type that one."
  };
  // After "error" the customer can type another code, after "final" nothing can help, after others they can try again.
  const STATES = {
    incomplete: "error",
    wrong_passcode: "error",
    used_passcode: "error",
    rejected: "error",
    not_registered: "final",
  };

  const passcode = document.getElementById("passcode");

  async function begin() {
    showPurpose((await ask("default")).purpose);
    show("ready");
  }

  async function check() {
    // Spaces and hyphens may stand between the digits, and the digits may be full-width ones.
    const code = passcode.value.normalize("NFKC").replace(/[\s-]/g, "");
    if (!/^[0-9]{6}$/.test(code)) return show("error", "error_incomplete");
    show("busy", "checking");
    return confirm(await ask("submit", { passcode: code }));
  }

  // The field is disabled until the page can take a code.
  function shown(state, key) {
    passcode.disabled = state !== "ready" && state !== "error";
    passcode.setAttribute("aria-invalid", String(state === "error"));
    if (passcode.disabled) return;
    if (key !== "error_incomplete") passcode.value = "";
    passcode.focus();
  }

  part("main").addEventListener("click", () => run(check));
  passcode.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault(); // the browser would post the form around this page
    run(check);
  });
  start({ english: ENGLISH, states: STATES, begin, again: begin, shown });
})();
