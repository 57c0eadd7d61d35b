// What an extension's page gets in place of Q2's Tecton SDK: the documented page API, over postMessage to UUX.
(() => {
  "use strict";

  const UUX = "{{uux_origin}}";
  const waiting = new Map();
  let last = 0;

  function ask(kind, name, argument) {
    return new Promise((resolve, reject) => {
      const id = (last += 1);
      waiting.set(id, { resolve, reject });
      try {
        parent.postMessage({ tecton: { id, kind, name, argument } }, UUX);
      } catch (error) {
        waiting.delete(id); // what cannot be cloned cannot be asked
        reject(error);
      }
    });
  }

  addEventListener("message", (event) => {
    if (event.source !== parent || event.origin !== UUX || !event.data?.tecton) return;
    const { id, value, error } = event.data.tecton;
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(Object.assign(new Error(error.message), error));
    else asked?.resolve(value);
  });

  // What answers at once, or takes a function, cannot be asked for: pages have to do without.
  const ABSENT = ["then", "loc", "languageChanged"];
  // Any other name can be asked for; UUX says which it knows.
  const askers = (kind) =>
    new Proxy({}, {
      get: (_, name) => (typeof name === "string" && !ABSENT.includes(name) ? (argument) => ask(kind, name, argument) : undefined),
    });

  // Read before UUX is there, they would be promises that never settle; so they come with the connection, as in Tecton.
  const tecton = { connected: null };
  tecton.connected = ask("connect", "connect").then(() => {
    tecton.sources = askers("sources");
    tecton.actions = askers("actions");
    const tell = () => ask("size", "size", { height: document.documentElement.offsetHeight });
    new ResizeObserver(tell).observe(document.documentElement);
    return tecton;
  });
  window.tecton = tecton;
})();
