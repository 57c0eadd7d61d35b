(() => {
  "use strict";

  const { ask, confirm, part, run, show,{% if cookiecutter.rendering == "csr" %} showPurpose,{% endif %} start } = externalMfa;
  // The texts of assets/languages/en-US.json, for where Tecton has none.
  const ENGLISH = {% filter trim | indent(2) %}{% include "{{cookiecutter.extension_name}}/frontend/public/assets/languages/en-US.json" %}{% endfilter %};
  // After "error" the customer can type another code, after "final" nothing can help, after others they can try again.
  const STATES = {
    incomplete: "error",
    wrong_passcode: "error",
    used_passcode: "error",
    rejected: "error",
    not_registered: "final",
  };

  const passcode = document.getElementById("passcode");

{% if cookiecutter.rendering == "csr" %}  async function begin() {
    showPurpose((await ask("default")).purpose);
    show("ready");
  }
{% else %}  function begin() {
    show("ready");
  }
{% endif %}
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
