// A fake of Q2's Tecton SDK for an extension's page: the documented API, over postMessage to UUX.
(() => {
  "use strict";

  const UUX = "{{uux_origin}}";
  const waiting = new Map();
  let last = 0;

  function call(kind, name, argument) {
    return new Promise((resolve, reject) => {
      const id = (last += 1);
      waiting.set(id, { resolve, reject });
      try {
        parent.postMessage({ tecton: { id, kind, name, argument } }, UUX);
      } catch (error) {
        waiting.delete(id); // the argument cannot be cloned
        reject(error);
      }
    });
  }

  addEventListener("message", (event) => {
    if (event.source !== parent || event.origin !== UUX || !event.data?.tecton) return;
    const { id, value, error } = event.data.tecton;
    const promise = waiting.get(id);
    waiting.delete(id);
    if (error) promise?.reject(Object.assign(new Error(error.message), error));
    else promise?.resolve(value);
  });

  // What answers at once, or takes a function, is absent: pages have to do without.
  const ABSENT = ["then", "loc", "languageChanged"];
  // Every other name is a function; UUX rejects those that it does not have.
  const functions = (kind) =>
    new Proxy({}, {
      get: (_, name) => (typeof name === "string" && !ABSENT.includes(name) ? (argument) => call(kind, name, argument) : undefined),
    });

  // As in Tecton, sources and actions exist only after connecting.
  const tecton = { connected: null };
  tecton.connected = call("connect", "connect").then(() => {
    tecton.sources = functions("sources");
    tecton.actions = functions("actions");
    const report = () => call("size", "size", { height: document.documentElement.offsetHeight });
    new ResizeObserver(report).observe(document.documentElement);
    return tecton;
  });
  window.tecton = tecton;
})();
