// What the pages of this extension have in common: connecting to online banking, texts, states, and Cancel.
// index.js adds the steps in between.
(() => {
  "use strict";

  const CONNECT_MILLISECONDS = 10000;
  const LISTED_TRANSACTIONS = 5; // more are folded
  const MARK = "\uE000"; // stands for a name in a text until the name's element takes its place

  const page = document.getElementById("mfa");
  const part = (name) => page.querySelector(`[data-part="${name}"]`);
  const [main, again, cancel, message, fallback] = ["main", "again", "cancel", "message", "fallback"].map(part);
  const tectonScript = document.querySelector('script[src*="q2-tecton-sdk"]');
  const indexScript = document.querySelector('script[src$="/index.js"]');
  let extension; // what index.js gives to start()
  let tecton; // once connected
  let verifyMFA; // once connected, where the platform has it
  let shown = ["busy", ""];
  let purpose = page.dataset.purpose && JSON.parse(page.dataset.purpose); // from the server, where it renders the page
  let attempt = 0; // to connect
  let turn = 0; // goes up when the customer cancels

  // Texts: Tecton's in the customer's language, else English.

  function format(message, values) {
    return message
      .replace(/\{(\w+), plural, one \{(.*?)\} other \{(.*?)\}\}/g, (_, name, one, other) =>
        (values[name] === 1 ? one : other).replaceAll("#", values[name]),
      )
      .replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  function localized(key, values = {}) {
    try {
      const found = tecton?.sources.loc?.(key, values);
      return typeof found === "string" && found !== "" && found !== key ? found : undefined;
    } catch {
      return undefined;
    }
  }

  function text(key, values) {
    return localized(key, values) ?? format(extension.english[key] ?? "", values);
  }

  // Fill `element` with a text that has a name in it. The name keeps its own writing direction.
  function showName(element, key, name) {
    const bdi = document.createElement("bdi");
    bdi.textContent = name;
    const [before, ...after] = text(key, { name: MARK }).split(MARK);
    element.replaceChildren(before, bdi, ...after);
  }

  // What the customer is asked to confirm.
  function showPurpose(given = purpose) {
    if (!given) return;
    purpose = given;
    const { signing_in: signingIn, transactions, action } = purpose;
    const values = { count: transactions.length, list: transactions.join(", ") };
    const element = part("purpose");
    if (transactions.length > LISTED_TRANSACTIONS) {
      const [details, summary] = ["details", "summary"].map((name) => document.createElement(name));
      summary.textContent = text("transactions_folded", values);
      details.append(summary, values.list);
      element.replaceChildren(details);
    } else if (transactions.length > 0) {
      element.textContent = text("transactions", values);
    } else if (action) {
      showName(element, "action", action);
    } else {
      element.textContent = text(signingIn ? "signing_in" : "purpose");
    }
  }

  function translate() {
    document.documentElement.lang = text("language") || "en-US";
    for (const element of document.querySelectorAll("[data-text]")) {
      element.dataset.english ??= element.textContent;
      element.textContent = localized(element.dataset.text) ?? element.dataset.english;
    }
    showPurpose();
    extension.translate?.();
    say();
  }

  // Without a text of index.js there is the sentence that stands in the page itself.
  function say() {
    message.textContent = shown[1] && (text(shown[1]) || fallback.textContent);
  }

  // States: busy, ready, error (ready, after a mistake), failed (another try may help), final, done.
  function show(state, key = "") {
    shown = [state, key];
    page.dataset.state = state;
    main.disabled = state !== "ready" && state !== "error";
    main.hidden = state === "failed" || state === "final";
    again.hidden = state !== "failed";
    cancel.disabled = !verifyMFA || state === "done";
    say();
    extension.shown?.(state, key);
    if (state === "failed" || state === "final") message.focus();
  }

  // The code of the backend's TectonError, wherever the platform puts it in a rejection.
  function codeOf(error) {
    if (typeof error === "string") return Object.hasOwn(extension.english, `error_${error}`) ? error : undefined;
    if (typeof error !== "object" || error === null) return undefined;
    return codeOf(error.code) ?? codeOf(error.message) ?? codeOf(error.error) ?? codeOf(error.data);
  }

  function fail(error) {
    const code = codeOf(error) ?? "failed";
    show(extension.states[code] ?? "failed", `error_${code}`);
  }

  async function run(step) {
    try {
      await step();
    } catch (error) {
      fail(error);
    }
  }

  // The outcome of `promise`, unless the customer cancels first: then it never comes.
  function unlessCanceled(promise) {
    const mine = turn;
    const settle = (end) => (value) => (mine === turn ? end(value) : new Promise(() => {}));
    return promise.then(settle((value) => value), settle((error) => Promise.reject(error)));
  }

  // What a route of the backend answers.
  async function ask(route, body = {}) {
    return (await unlessCanceled(tecton.sources.requestExtensionData({ route, body }))).data;
  }

  // The token in the backend's answer, in any shape that set_external_mfa_token returns.
  function tokenOf(data) {
    return typeof data === "object" && data !== null ? tokenOf(data.token ?? data.data) : data;
  }

  // The last step. Where it succeeds, the platform may end this page at once.
  async function confirm(data) {
    const token = tokenOf(data);
    if (typeof token !== "string" || token === "") throw new TypeError("the backend answered no token");
    try {
      await unlessCanceled(verifyMFA({ token }));
    } catch {
      return fail("rejected");
    }
    show("done", "confirmed");
  }

  function connected(api) {
    tecton = [api, globalThis.tecton].find((each) => each?.sources);
    const owner = [tecton?.actions, tecton?.sources].find((each) => typeof each?.verifyMFA === "function");
    if (!owner) return fail("not_supported");
    verifyMFA = (argument) => owner.verifyMFA(argument);
    tecton.sources.languageChanged?.(translate);
    translate();
    return run(extension.begin);
  }

  function load(old) {
    return new Promise((resolve) => {
      const script = document.createElement("script");
      script.onload = script.onerror = resolve;
      script.src = old.src;
      document.head.append(script);
    });
  }

  // Tecton's script comes before this one on a server-side rendered page, and after it on the others.
  function tectonLoaded(again) {
    if (globalThis.tecton || !tectonScript) return Promise.resolve();
    if (again) return load(tectonScript);
    if (!tectonScript.defer && !tectonScript.async) return Promise.resolve();
    return new Promise((resolve) => {
      tectonScript.addEventListener("load", resolve);
      tectonScript.addEventListener("error", resolve);
    });
  }

  // A connection that comes after the time limit is welcome too.
  function connect(again) {
    const mine = (attempt += 1);
    const ifCurrent = (next) => (api) => mine === attempt && next(api);
    const giveUp = ifCurrent(() => fail("not_connected"));
    const timer = setTimeout(giveUp, CONNECT_MILLISECONDS);
    show("busy", "connecting");
    tectonLoaded(again)
      .then(() => globalThis.tecton?.connected ?? Promise.reject())
      .finally(() => clearTimeout(timer))
      .then(ifCurrent(connected), giveUp);
  }

  function start(given) {
    extension = given;
    fallback.hidden = true;
    connect(false);
  }

  // index.js did not run: the page says so, can load it again, and can cancel.
  function startWithoutIndex() {
    if (!extension) start({ missing: true, english: {}, states: {}, begin: () => Promise.reject() });
    else if (extension.missing) fail("failed");
  }

  function tryAgain() {
    if (extension.missing) return load(indexScript).then(startWithoutIndex);
    return verifyMFA ? run(extension.again) : connect(true);
  }

  function leave() {
    turn += 1;
    stop(); // no navigation that is under way may replace this page
    show("busy", "canceling");
    return run(() => verifyMFA({ exit: true }));
  }

  indexScript.addEventListener("load", startWithoutIndex);
  indexScript.addEventListener("error", startWithoutIndex);
  again.addEventListener("click", tryAgain);
  cancel.addEventListener("click", leave);
  // The SDK puts a server-side rendered page into a form of its own. Nothing here is ever to be posted.
  addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );

  globalThis.externalMfa = { ask, confirm, fail, part, run, show, showName, showPurpose, start, text };
})();
