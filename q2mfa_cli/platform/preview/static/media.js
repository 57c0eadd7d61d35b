// Emulates media features in the extension's page: its own media rules, and later calls of matchMedia(). A page cannot change
// style sheets of other origins.
(() => {
  "use strict";

  const FEATURE = /\(\s*(prefers-reduced-motion|prefers-contrast|forced-colors)\s*(?::\s*([\w-]+)\s*)?\)/g;
  const OFF = { "prefers-reduced-motion": "no-preference", "prefers-contrast": "no-preference", "forced-colors": "none" };
  const HOLDS = "(min-width: 0px)";
  const FAILS = "(max-width: -1px)";
  const originals = new Map(); // the page's media query, by style sheet or rule
  let emulated = {}; // the emulated value, by feature

  const rewritten = (query) =>
    query.replace(FEATURE, (asked, feature, value = null) => {
      if (!(feature in emulated)) return asked;
      const holds = value === null ? emulated[feature] !== OFF[feature] : emulated[feature] === value;
      return holds ? HOLDS : FAILS;
    });

  function rewrite(owner) {
    if (!originals.has(owner)) originals.set(owner, owner.media.mediaText);
    const query = rewritten(originals.get(owner));
    if (owner.media.mediaText !== query) owner.media.mediaText = query;
  }

  function rewriteRules(rules) {
    for (const rule of rules) {
      if (rule instanceof CSSMediaRule) rewrite(rule);
      if (rule.cssRules) rewriteRules(rule.cssRules);
    }
  }

  function apply() {
    for (const sheet of document.styleSheets) {
      rewrite(sheet);
      try {
        rewriteRules(sheet.cssRules);
      } catch {
        // The style sheet is from another origin.
      }
    }
  }

  const { matchMedia } = window;
  window.matchMedia = (query) => matchMedia.call(window, rewritten(query));
  document.addEventListener("load", ({ target }) => target.localName === "link" && apply(), true);

  const CONTRAST = {
    more: { "prefers-contrast": "more", "forced-colors": "none" },
    forced: { "prefers-contrast": "custom", "forced-colors": "active" },
  };
  const MOTION = { reduced: { "prefers-reduced-motion": "reduce" }, normal: { "prefers-reduced-motion": "no-preference" } };

  /** @param {string} contrast @param {string} motion the toolbar's choices; empty for the system's preference */
  window.emulateQ2MfaMedia = (contrast, motion) => {
    emulated = { ...CONTRAST[contrast], ...MOTION[motion] };
    apply();
  };
})();
