// The form for `mfa_info`. Values are typed as text and sent as JSON text, so numbers keep all their digits: none becomes a
// JavaScript number.
import { byId, element, labeled, textField } from "./dom.js";

/** The documented attributes: see `docs/how-to/preview.md`. */
const TEXTS = ["mfa_context", "audit_action_name", "registration_value", "sso_identifier"];
const DOCUMENTED = ["mfa_context", "transaction_ids", "audit_action_id", "audit_action_name", "registration_value", "sso_identifier"];

const idAsJson = (text) => (/^-?(0|[1-9]\d*)$/.test(text) ? text : JSON.stringify(text));

function asJson(name, text) {
  if (TEXTS.includes(name)) return JSON.stringify(text);
  if (name === "audit_action_id") return idAsJson(text);
  if (name === "transaction_ids") return `[${text.split(",").map((each) => each.trim()).filter(Boolean).map(idAsJson)}]`;
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

export class Attributes {
  /** @param {Map<string, string>} given values that replace defaults, or add other attributes */
  constructor(defaults, given) {
    this.showDefaults(defaults, given);
    for (const [name, value] of given) if (!DOCUMENTED.includes(name)) this.#add(name, value);
    byId("add-attribute").addEventListener("click", () => this.#add().focus());
  }

  /** @param {Record<string, unknown>} defaults the attributes that the workflow starts with */
  showDefaults(defaults, given = new Map()) {
    this.defaults = defaults;
    this.fields = new Map(DOCUMENTED.map((name) => [name, textField({ name, value: given.get(name) ?? this.#default(name) })]));
    byId("mfa-info").replaceChildren(...[...this.fields].map(([name, field]) => labeled(name, field)));
  }

  /** Replace the defaults, and keep the typed values. */
  renew(defaults) {
    const typed = this.changed();
    this.defaults = defaults;
    for (const [name, field] of this.fields) if (!typed.has(name)) field.value = this.#default(name);
  }

  #default(name) {
    return [this.defaults[name] ?? ""].flat().join(", ");
  }

  #add(name = "", value = "") {
    const row = element("div", "attribute");
    const typedName = textField({ value: name, ariaLabel: "Name of the attribute" });
    row.append(typedName, textField({ value, ariaLabel: "Value of the attribute" }));
    byId("more-attributes").append(row);
    return typedName;
  }

  /** The typed values by name. An empty field omits its attribute. */
  #typed() {
    const more = [...byId("more-attributes").children].map(({ children: [name, value] }) => [name.value, value.value]);
    const all = [...[...this.fields].map(([name, { value }]) => [name, value]), ...more];
    return new Map(all.map((each) => each.map((text) => text.trim())).filter(([name, value]) => name && value));
  }

  get(name) {
    return this.#typed().get(name) ?? "";
  }

  /** Whether *name* has its default value. */
  isDefault(name) {
    return this.get(name) === this.#default(name);
  }

  /** The typed values that differ from the defaults. An empty string omits the attribute. */
  changed() {
    const names = new Set([...DOCUMENTED, ...this.#typed().keys()]);
    return new Map([...names].filter((name) => !this.isDefault(name)).map((name) => [name, this.get(name)]));
  }

  /** Return the attributes as the text of a JSON object. */
  asJson() {
    return `{${[...this.#typed()].map(([name, text]) => `${JSON.stringify(name)}: ${asJson(name, text)}`).join(", ")}}`;
  }
}
