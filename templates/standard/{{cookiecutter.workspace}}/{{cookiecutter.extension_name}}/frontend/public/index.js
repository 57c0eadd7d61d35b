(() => {
  "use strict";

  const MESSAGES = {
    wrong_passcode: "That code is not right. Check your authenticator app and type the code it shows now.",
    used_passcode: "That code was used before. Wait for the next one in your authenticator app.",
    locked: "Too many wrong codes. Wait 5 minutes, then try again, or call us.",
    not_registered: "Your authenticator app is not registered with us yet. Please call us.",
    rejected: "Your confirmation did not go through. Please try again with the next code.",
    failed: "Something went wrong. Please try again in a moment.",
  };
  // For these, another code right away cannot help.
  const FINAL = ["locked", "not_registered"];

  const form = document.getElementById("form");
  const passcode = document.getElementById("passcode");
  const [submit, again, cancel, message] = ["submit", "again", "cancel", "message"].map((id) =>
    document.getElementById(id),
  );

  // Until this runs the form is disabled: submitted by the browser itself, it would put the code into the address.
  // States: asking, checking, error (wrong code), final (locked, not registered, failed), done.
  function show(state, text) {
    form.dataset.state = state;
    const asking = state === "asking" || state === "error";
    passcode.disabled = submit.disabled = !asking;
    again.hidden = state !== "final";
    cancel.disabled = state === "checking" || state === "done";
    message.textContent = text;
    if (state === "asking" || state === "error") {
      passcode.value = "";
      passcode.setAttribute("aria-invalid", String(state === "error"));
      passcode.focus();
    } else if (state === "final") {
      message.focus();
    }
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

  async function confirm() {
    show("checking", "");
    let token;
    try {
      const response = await tecton.sources.requestExtensionData({
        route: "submit",
        body: { passcode: passcode.value.replace(/\s/g, "") },
      });
      token = tokenOf(response.data);
    } catch (error) {
      const code = codeOf(error);
      return show(FINAL.includes(code) ? "final" : "error", MESSAGES[code]);
    }
    try {
      await tecton.actions.verifyMFA({ token });
      show("done", "Confirmed.");
    } catch {
      show("error", MESSAGES.rejected);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    confirm();
  });
  again.addEventListener("click", () => show("asking", ""));
  cancel.addEventListener("click", () => tecton.actions.verifyMFA({ exit: true }));

  show("checking", "");
  tecton.connected.then(
    {%- if cookiecutter.rendering == "ssr" %}
    () => show("asking", ""),
    {%- else %}
    async () => {
      const { data } = await tecton.sources.requestExtensionData({ route: "default", body: {} });
      for (const line of data.purpose) {
        const item = document.createElement("li");
        item.textContent = line;
        document.getElementById("purpose").append(item);
      }
      show("asking", "");
    },
    {%- endif %}
  ).catch(() => show("final", MESSAGES.failed));
})();
