// A fake of Q2's Tecton SDK for an extension's page: the documented API, over postMessage to UUX.
(() => {
  "use strict";

  const CONFIG = /* {{config}} */ null; // uux_origin, assets_url, theme, and the readings verify_mfa and loc
  const waiting = new Map();
  const languageCallbacks = [];
  let last = 0;
  let texts = {};

  function call(kind, name, argument) {
    return new Promise((resolve, reject) => {
      const id = (last += 1);
      waiting.set(id, { resolve, reject });
      try {
        parent.postMessage({ tecton: { id, kind, name, argument } }, CONFIG.uux_origin);
      } catch (error) {
        waiting.delete(id); // the argument cannot be cloned
        reject(error);
      }
    });
  }

  addEventListener("message", ({ source, origin, data }) => {
    if (source !== parent || origin !== CONFIG.uux_origin || !data?.tecton) return;
    const { id, value, rejection, error, preferences, style } = data.tecton;
    if (style) return void swapStyles(style);
    if (preferences) return void changePreferences(preferences);
    const promise = waiting.get(id);
    waiting.delete(id);
    if (rejection) promise?.reject(rejection);
    else if (error) promise?.reject(new Error(error));
    else promise?.resolve(value);
  });

  // --- The API for the page ------------------------------------------------------------------------------------------

  const SOURCES = ["requestExtensionData", "promptForMFA"];
  const ACTIONS = ["setTitle", "setFetching", "showModal"];

  function loc(key, substitutions = {}) {
    if (Object.hasOwn(texts, key)) return format(texts[key], substitutions, document.documentElement.lang);
    return CONFIG.loc === "key" ? key : undefined;
  }

  function api(kind, names) {
    const functions = Object.fromEntries(names.map((name) => [name, (argument) => call(kind, name, argument)]));
    if (CONFIG.verify_mfa === kind) functions.verifyMFA = (argument) => call("actions", "verifyMFA", argument);
    if (kind === "sources") {
      functions.languageChanged = (callback) => void languageCallbacks.push(callback);
      if (CONFIG.loc !== "absent") functions.loc = loc;
    }
    return new Proxy(functions, {
      get(target, name) {
        if (typeof name === "string" && name !== "then" && !(name in target)) {
          console.warn(`q2mfa preview has no tecton.${kind}.${name}`);
        }
        return target[name];
      },
    });
  }

  // --- Language and theme --------------------------------------------------------------------------------------------

  const themeStyle = document.createElement("style");

  /** Reload the page's style sheets in place, so that typed input is kept. */
  function swapStyles(version) {
    for (const link of document.querySelectorAll('link[rel="stylesheet"]')) {
      const url = new URL(link.href);
      url.searchParams.set("saved", version);
      link.href = url.href;
    }
  }

  let chosenLanguage; // the page may set its own lang

  async function changePreferences(preferences) {
    const before = chosenLanguage;
    await applyPreferences(preferences);
    if (preferences.language !== before) for (const callback of languageCallbacks) callback();
  }

  async function applyPreferences({ language, colorScheme, contrast, motion, theme }) {
    const root = document.documentElement;
    const attributes = { "data-prefers-motion": motion, "data-prefers-color-scheme": colorScheme };
    for (const [name, value] of Object.entries(attributes)) {
      if (value) root.setAttribute(name, value);
      else root.removeAttribute(name);
    }
    const css = `${CONFIG.theme}\n${theme}`;
    if (themeStyle.textContent !== css) themeStyle.textContent = css;
    window.emulateQ2MfaMedia(contrast, motion);
    chosenLanguage = root.lang = language;
    const response = await fetch(`${CONFIG.assets_url}/assets/languages/${language}.json`).catch(() => null);
    const loaded = response?.ok ? await response.json().catch(() => ({})) : {};
    if (chosenLanguage !== language) return; // the language has changed since
    texts = loaded;
    for (const each of document.querySelectorAll("q2-loc")) each.draw?.();
  }

  // ICU messages: {name}, {name, plural, …} with #, and {name, select, …}. An apostrophe quotes braces.
  function format(message, values, language) {
    let at = 0;

    function read(end, shownCount) {
      let text = "";
      while (at < message.length && message[at] !== end) {
        const character = message[at++];
        if (character === "'" && message[at] === "'") text += message[at++];
        else if (character === "'" && "{}#".includes(message[at])) {
          const found = message.indexOf("'", at);
          const close = found < 0 ? message.length : found;
          text += message.slice(at, close);
          at = close + 1;
        } else if (character === "#" && shownCount !== undefined) {
          text += new Intl.NumberFormat(language).format(shownCount);
        } else if (character === "{") text += argument(shownCount);
        else text += character;
      }
      at += 1;
      return text;
    }

    function argument(shownCount) {
      const [, name, kind] = /^\s*([\w-]+)\s*(?:,\s*(\w+)\s*)?/.exec(message.slice(at));
      at += /^[^,}]*(?:,\s*\w+\s*)?/.exec(message.slice(at))[0].length;
      const value = values[name];
      if (kind !== "plural" && kind !== "select") {
        at = message.indexOf("}", at) + 1;
        return String(value ?? `{${name}}`);
      }
      const choices = new Map();
      for (;;) {
        const [space, key] = /^[\s,]*([\w=]*)\s*/.exec(message.slice(at));
        at += space.length;
        if (message[at++] !== "{") break; // the end of the argument
        choices.set(key, read("}", kind === "plural" ? value : shownCount));
      }
      const rule = kind === "plural" ? new Intl.PluralRules(language).select(value) : String(value);
      return choices.get(`=${value}`) ?? choices.get(rule) ?? choices.get("other") ?? "";
    }

    return read();
  }

  // --- Connecting ----------------------------------------------------------------------------------------------------

  const tecton = { connected: null };
  tecton.connected = call("connect", "connect").then(async (preferences) => {
    document.head.prepend(themeStyle);
    await applyPreferences(preferences);
    // As in Tecton, sources and actions exist only after connecting.
    tecton.sources = api("sources", SOURCES);
    tecton.actions = api("actions", ACTIONS);
    window.defineQ2MfaFakes();
    const report = () => call("size", "size", { height: document.documentElement.offsetHeight });
    new ResizeObserver(report).observe(document.documentElement);
    return tecton;
  });
  window.tecton = tecton;
})();
