// Runs before the scripts of every document that a look shows: UUX's page, and what is in the outlet. It notes what cannot be
// seen later, and reads what the customer sees.
(() => {
  "use strict";

  const CANARY = /data-q2mfa-canary="?(\w+)/g;
  const FROM_ELSEWHERE = "script[src], link[rel~=stylesheet][href], img[src], iframe[src]";
  const seen = {
    asked: [], // in UUX's page: [id, name] of each call over the bridge by the page that is in the outlet now
    answered: [], // in the outlet: the id of each answer that came
    rejections: 0, // promises whose rejection nothing took
    elsewhere: null, // what stood in the document and comes from elsewhere, when the code left the address
    written: {}, // by name of the canary: the stack of the call that wrote it as markup
  };
  Object.defineProperty(window, "q2mfaSeen", { value: seen });

  addEventListener("message", ({ data }) => {
    const { id, kind, name } = data?.tecton ?? {};
    if (kind === "connect") seen.asked = [];
    if (kind && kind !== "failure") seen.asked.push([id, name]);
    else if (id) seen.answered.push(id);
  });
  addEventListener("unhandledrejection", () => (seen.rejections += 1));

  // --- The address and the storage -----------------------------------------------------------------------------------

  const hasCode = () => /[?&#]code=/.test(location.href);

  seen.fromElsewhere = () =>
    [...document.querySelectorAll(FROM_ELSEWHERE)]
      // A deferred script runs after those that the parser waits for.
      .filter((each) => !(document.readyState === "loading" && (each.defer || each.type === "module")))
      .map((each) => new URL(each.src || each.href))
      .filter(({ origin, protocol }) => origin !== location.origin && protocol.startsWith("http"))
      .map(({ host }) => host);

  for (const name of ["replaceState", "pushState"]) {
    const original = History.prototype[name];
    History.prototype[name] = function (...given) {
      const before = hasCode();
      original.apply(this, given);
      if (before && !hasCode()) seen.elsewhere ??= seen.fromElsewhere();
    };
  }

  seen.kept = () =>
    ["localStorage", "sessionStorage"].flatMap((storage) => {
      try {
        return Object.entries(window[storage]).map(([key, value]) => [storage, key, value]);
      } catch {
        return []; // this document may keep nothing
      }
    });
  seen.keptBefore = seen.kept();
  seen.entries = () => navigation.entries().map(({ url }) => url);

  // --- Markup --------------------------------------------------------------------------------------------------------

  function note(markup) {
    for (const [, name] of String(markup).matchAll(CANARY)) seen.written[name] ??= new Error().stack;
  }

  for (const [type, names] of [[Element, ["innerHTML", "outerHTML"]], [ShadowRoot, ["innerHTML"]]]) {
    for (const name of names) {
      const property = Object.getOwnPropertyDescriptor(type.prototype, name);
      Object.defineProperty(type.prototype, name, {
        ...property,
        set(markup) {
          note(markup);
          property.set.call(this, markup);
        },
      });
    }
  }
  for (const [type, name, at] of [[Element, "insertAdjacentHTML", 1], [Range, "createContextualFragment", 0], [Document, "write", 0]]) {
    const original = type.prototype[name];
    type.prototype[name] = function (...given) {
      note(given[at]);
      return original.apply(this, given);
    };
  }

  function* elements(root) {
    for (const element of root.querySelectorAll("*")) {
      yield element;
      if (element.shadowRoot) yield* elements(element.shadowRoot);
    }
  }

  seen.canaries = () => [...elements(document)].map((each) => each.dataset?.q2mfaCanary).filter(Boolean);

  // --- What the customer sees ----------------------------------------------------------------------------------------

  const isVisible = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

  function* texts(node) {
    for (const child of node.childNodes) {
      if (child instanceof Text) yield child.data.replace(/\s+/g, " ");
      else if (child instanceof HTMLImageElement) yield isVisible(child) ? `\n${child.alt}\n` : "";
      else if (child instanceof Element && getComputedStyle(child).display === "contents") yield* texts(child);
      else if (child instanceof Element && isVisible(child)) {
        const gap = getComputedStyle(child).display === "inline" ? "" : "\n";
        yield gap;
        if (child.shadowRoot) yield* texts(child.shadowRoot);
        yield* texts(child);
        yield gap;
      }
    }
  }

  /** The visible lines of text. */
  seen.lines = () =>
    [...texts(document.body)]
      .join("")
      .split("\n")
      .map((line) => line.replace(/\s+/g, " ").trim())
      .filter(Boolean);

  seen.open = () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  };
})();
