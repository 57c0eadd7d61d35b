(() => {
  "use strict";

  const { ask, confirm, part, run, show, showName, start, text } = externalMfa;
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
    "code_label": "6-digit code from our message",
    "intro": "We send a code to the phone number or email address that we have on file for you.",
    "send": "Send a code",
    "send_again": "Send a new code",
    "sending": "Sending …",
    "sent_to": "We sent a code to {name}.",
    "expires": "{count, plural, one {The code expires in # minute.} other {The code expires in # minutes.}}",
    "error_wrong_passcode": "That code is not right. Check our message and type its code again.",
    "error_expired_passcode": "There is no valid code any more. Send a new one.",
    "error_sent_just_now": "We sent you a code a moment ago. Type it, or wait half a minute and send a new one.",
    "error_sent_too_often": "We have sent too many codes. Wait an hour, or call us.",
    "error_not_delivered": "We could not send the code. Wait half a minute, then try again, or call us.",
    "error_not_configured": "This way of confirming is not set up yet. Please call us.",
    "error_not_registered": "We have no phone number or email address to send a code to. Please call us.",
    "error_rejected": "Your confirmation did not go through. Send a new code, and type that one."
  };
  // After "error" the customer can go on, after "final" nothing can help, after others they can try again.
  const STATES = {
    incomplete: "error",
    wrong_passcode: "error",
    expired_passcode: "error",
    sent_just_now: "error",
    sent_too_often: "error",
    rejected: "error",
    not_registered: "final",
    not_configured: "final",
  };
  // After these a new code is needed.
  const NO_CODE = ["error_expired_passcode", "error_rejected"];
  const RESEND_MILLISECONDS = 30000; // where the backend did not say

  const passcode = document.getElementById("passcode");
  let sent; // the code: where to, when (performance.now) it expires, and when the next one can be sent
  let usable = false; // whether the customer can do something
  let timer;

  function begin() {
    show("ready");
  }

  async function send() {
    show("busy", "sending");
    const { sent_to: to, seconds, resend_seconds: resend } = await ask("submit", { send: true });
    const now = performance.now();
    sent = { to, expires: now + seconds * 1000, next: now + resend * 1000 };
    show("ready");
    tell();
  }

  async function check() {
    // Spaces and hyphens may stand between the digits, and the digits may be full-width ones.
    const code = passcode.value.normalize("NFKC").replace(/[\s-]/g, "");
    if (!/^[0-9]{6}$/.test(code)) return show("error", "error_incomplete");
    show("busy", "checking");
    return confirm(await ask("submit", { passcode: code }));
  }

  // Where the code was sent.
  function tell() {
    if (sent?.to) showName(part("sent"), "sent_to", sent.to);
    else part("sent").textContent = "";
  }

  // How long the code is good. The text changes, and is read out, once a minute.
  function count() {
    clearTimeout(timer);
    if (!sent) return;
    const now = performance.now();
    const minutes = Math.ceil((sent.expires - now) / 60000);
    if (minutes <= 0 && usable) {
      show("error", "error_expired_passcode");
      return;
    }
    const says = Number.isFinite(minutes) ? text("expires", { count: Math.max(minutes, 1) }) : "";
    if (part("expires").textContent !== says) part("expires").textContent = says;
    part("resend").disabled = !usable || now < sent.next;
    timer = setTimeout(count, 1000);
  }

  function translate() {
    tell();
    count();
  }

  // Two steps: a code is sent, and typed. The field is disabled until the page can take a code.
  function shown(state, key) {
    usable = state === "ready" || state === "error";
    if (NO_CODE.includes(key)) sent = undefined;
    if (key === "error_sent_just_now") {
      sent ??= { expires: Infinity, next: performance.now() + RESEND_MILLISECONDS }; // from before a reload
    }
    part("intro").hidden = Boolean(sent);
    part("send").hidden = Boolean(sent);
    for (const name of ["code", "confirm", "resend"]) part(name).hidden = !sent;
    passcode.disabled = !usable || !sent;
    passcode.setAttribute("aria-invalid", String(state === "error" && key !== "error_sent_just_now"));
    count();
    if (passcode.disabled) return;
    if (key !== "error_incomplete") passcode.value = "";
    passcode.focus();
  }

  part("main").addEventListener("click", () => run(sent ? check : send));
  part("resend").addEventListener("click", () => run(send));
  passcode.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault(); // the browser would post the form around this page
    run(check);
  });
  start({ english: ENGLISH, states: STATES, begin, again: begin, shown, translate });
})();
