// Fakes of some of Tecton's elements, with their documented attributes, so that the preview can show pages that use them.
// The real elements look and behave differently in detail.
(() => {
  "use strict";

  const STYLE = `
    :host { display: block; margin: 0 0 var(--app-scale-3x, 15px); font-family: var(--t-font-family, inherit); color: var(--t-text); }
    :host([hidden]) { display: none; }
    label, .hint { display: block; }
    .hint { font-size: 0.85em; }
    .error { color: var(--const-stoplight-alert); }
    input {
      box-sizing: border-box; width: 100%; min-height: 44px; padding: 0 10px; font: inherit; color: inherit;
      background: var(--t-base); border: 1px solid var(--t-a11y-gray-color-AA); border-radius: var(--app-border-radius-1, 4px);
    }
    button {
      min-height: 44px; padding: 0 20px; font: inherit; font-weight: 600; cursor: pointer; color: inherit; background: var(--t-base);
      border: 1px solid var(--t-a11y-gray-color-AA); border-radius: var(--app-border-radius-1, 4px);
    }
    button.primary { color: var(--t-primary-text); background: var(--t-primary); border-color: var(--t-primary); }
    button:disabled { opacity: var(--app-disabled-opacity, 0.4); cursor: default; }
    :focus-visible { outline: none; box-shadow: var(--const-global-focus); }
    .message { padding: 10px 15px; border: 1px solid; border-left-width: 4px; border-radius: var(--app-border-radius-1, 4px); }
    .info { border-color: var(--const-stoplight-info); } .success { border-color: var(--const-stoplight-success); }
    .warning { border-color: var(--const-stoplight-warning); } .alert { border-color: var(--const-stoplight-alert); }
  `;

  /** Define properties that reflect the attributes *names*. */
  function reflect(type, names) {
    for (const name of names) {
      Object.defineProperty(type.prototype, name, {
        get() {
          return this.getAttribute(name) ?? "";
        },
        set(value) {
          this.setAttribute(name, Array.isArray(value) ? JSON.stringify(value) : value);
        },
      });
    }
  }

  class Element extends HTMLElement {
    connectedCallback() {
      if (!this.shadowRoot) this.attachShadow({ mode: "open", delegatesFocus: true });
      this.draw();
    }

    attributeChangedCallback() {
      if (this.shadowRoot) this.draw();
    }

    draw() {
      const style = Object.assign(document.createElement("style"), { textContent: STYLE });
      this.shadowRoot.replaceChildren(style, ...this.parts());
    }

    send(name, detail) {
      this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
    }
  }

  const part = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const slot = () => document.createElement("slot");

  /** Return the strings in an attribute, which is a JSON array or one string. */
  function texts(value) {
    if (!value) return [];
    try {
      const parsed = JSON.parse(value);
      return Array.isArray(parsed) ? parsed.map(String) : [value];
    } catch {
      return [value];
    }
  }

  class Button extends Element {
    static observedAttributes = ["intent", "color", "disabled", "label", "type"];

    parts() {
      const isPrimary = this.getAttribute("intent") === "workflow-primary" || this.getAttribute("color") === "primary";
      return [part("button", { type: "button", className: isPrimary ? "primary" : "", disabled: this.disabled }, slot())];
    }

    get disabled() {
      return this.hasAttribute("disabled") && this.getAttribute("disabled") !== "false";
    }

    set disabled(value) {
      this.toggleAttribute("disabled", Boolean(value));
    }
  }

  class Input extends Element {
    static observedAttributes = ["label", "type", "maxlength", "errors", "hints", "disabled"];
    #value = null;

    get value() {
      return this.#value ?? this.getAttribute("value") ?? "";
    }

    set value(value) {
      this.#value = String(value);
      const input = this.shadowRoot?.querySelector("input");
      if (input) input.value = this.#value;
    }

    /** Return further properties of the field, for subclasses. */
    special() {
      return {};
    }

    parts() {
      const errors = texts(this.getAttribute("errors"));
      const input = part("input", { type: this.getAttribute("type") || "text", value: this.value, id: "field", ...this.special() });
      input.disabled = this.hasAttribute("disabled");
      if (this.hasAttribute("maxlength")) input.maxLength = Number(this.getAttribute("maxlength"));
      if (errors.length > 0) input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", "notes");
      input.addEventListener("input", (event) => {
        event.stopPropagation();
        this.#value = input.value;
        this.send("input", { value: input.value });
        this.typed?.();
      });
      const notes = [...errors.map((text) => part("span", { className: "hint error", textContent: text })),
        ...texts(this.getAttribute("hints")).map((text) => part("span", { className: "hint", textContent: text }))];
      return [part("label", { htmlFor: "field", textContent: this.getAttribute("label") ?? "" }), input, part("div", { id: "notes" }, ...notes)];
    }
  }
  reflect(Input, ["label", "type", "maxlength", "errors", "hints"]);

  // Q2 does not document which event carries the code. The fake sends `change` once the code is complete.
  class Otp extends Input {
    static observedAttributes = [...Input.observedAttributes, "length", "state"];

    special() {
      const maxLength = Number(this.getAttribute("length")) || 6;
      const label = this.getAttribute("label") || "Code";
      return { inputMode: "numeric", autocomplete: "one-time-code", maxLength, ariaLabel: label, readOnly: this.getAttribute("state") === "verifying" };
    }

    typed() {
      if (this.value.length === (Number(this.getAttribute("length")) || 6)) this.send("change", { value: this.value });
    }

    parts() {
      const again = part("button", { type: "button", textContent: "Send a new code" });
      again.addEventListener("click", () => this.send("tctSendCode", {}));
      return [...super.parts(), again];
    }
  }

  class Message extends Element {
    static observedAttributes = ["type"];

    parts() {
      const type = { error: "alert", info: "info", success: "success", warning: "warning" }[this.getAttribute("type")] ?? "info";
      const box = part("div", { className: `message ${type}` }, slot());
      box.setAttribute("role", type === "alert" ? "alert" : "status");
      return [box];
    }
  }

  class Loading extends Element {
    parts() {
      const text = part("p", { textContent: "Loading…" });
      text.setAttribute("role", "status");
      return [text];
    }
  }

  class Loc extends Element {
    static observedAttributes = ["value", "substitutions"];

    parts() {
      const key = this.getAttribute("value") ?? "";
      let values;
      try {
        values = JSON.parse(this.getAttribute("substitutions") ?? "{}");
      } catch {
        values = {};
      }
      return [part("span", { textContent: window.tecton?.sources?.loc?.(key, values) ?? key })];
    }
  }

  // As in Tecton, the elements are defined once the page is connected.
  const FAKES = { "q2-btn": Button, "q2-input": Input, "q2-otp": Otp, "q2-message": Message, "q2-loading": Loading, "q2-loc": Loc };
  window.defineQ2MfaFakes = () => {
    for (const [name, type] of Object.entries(FAKES)) if (!customElements.get(name)) customElements.define(name, type);
    const used = [...new Set([...document.querySelectorAll("*")].map((each) => each.localName))].filter((name) => name.startsWith("q2-"));
    for (const name of used) {
      if (name in FAKES) console.info(`q2mfa preview shows a fake of <${name}>, not Tecton's.`);
      else console.warn(`q2mfa preview has no <${name}>.`);
    }
  };
})();
