(() => {
  "use strict";

  const { ask, confirm, fail, part, run, show, showName,{% if cookiecutter.rendering == "csr" %} showPurpose,{% endif %} start } = externalMfa;
  // The texts of assets/languages/en-US.json, for where Tecton has none.
  const ENGLISH = {% filter trim | indent(2) %}{% include "{{cookiecutter.extension_name}}/frontend/public/assets/languages/en-US.json" %}{% endfilter %};
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
{%- if cookiecutter.rendering == "ssr" %}
  // The way to the provider, and when (performance.now) it ends; both are from the server.
  let way = { url: page.dataset.url, until: Number(page.dataset.seconds) * 1000 - 5000 };
  const provider = page.dataset.provider;
{%- else %}
  let provider;
{%- endif %}

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
{%- if cookiecutter.rendering == "ssr" %}
    const good = way.url && performance.now() < way.until;
    const url = good ? way.url : (await ask("start")).authorization_url;
    way = {};
{%- else %}
    const url = (await ask("start")).authorization_url;
{%- endif %}
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
{%- if cookiecutter.rendering == "csr" %}
    const data = await ask("default");
    provider = data.provider;
    translate();
    showPurpose(data.purpose);
{%- else %}
    if (page.dataset.error) return fail(page.dataset.error);
{%- endif %}
    if (!left(false)) return show("ready");
    explainFraming();
    return fail("not_returned");
  }

  part("main").addEventListener("click", () => run(leave));
  start({ english: ENGLISH, states: STATES, begin, again: leave, translate });
})();
