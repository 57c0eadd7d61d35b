// Runs before anything else on the page: takes what the identity provider sent out of the address bar and the history,
// where it could be read later, and keeps it for index.js.
(() => {
  "use strict";

  const sent = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname);
  const callback = {};
  for (const name of ["code", "state", "iss", "error"]) {
    const values = sent.getAll(name);
    // Given twice it stays a list, which the backend refuses (RFC 6749, section 3.1).
    if (values.length > 0) callback[name] = values.length === 1 ? values[0] : values;
  }
  globalThis.mfaCallback = callback;
})();
