// Runs before every other script of the page. It takes the identity provider's answer out of the address bar and the
// history, where it could be read later, and keeps it for index.js. The browser's timing entry for this page
// (PerformanceNavigationTiming) keeps the address until the page ends; no page can clear it.
(() => {
  "use strict";

  const sent = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname);
  const callback = {};
  for (const name of ["code", "state", "iss", "error"]) {
    const values = sent.getAll(name);
    // A parameter that comes twice stays a list, which the backend refuses (RFC 6749, section 3.1).
    if (values.length > 0) callback[name] = values.length === 1 ? values[0] : values;
  }
  globalThis.mfaCallback = callback;
})();
