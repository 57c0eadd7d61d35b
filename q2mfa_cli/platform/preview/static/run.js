// The settings of a run: the assumptions about undocumented behavior, and the extension's configuration. All pages of the run
// share them. After a change, the server reloads the extension and notifies the pages.
import { api, byId, element, labeled, textField } from "./dom.js";

export class Readings {
  constructor() {
    byId("readings").addEventListener("change", ({ target }) => this.use(this.changed().set(target.name, target.value)));
  }

  /** @param {{id: string, says: string, value: unknown, options: unknown[]}[]} readings the first option is the default */
  show(readings) {
    this.readings = readings;
    if (byId("readings").childElementCount === 0) byId("readings").append(...readings.map(Readings.#draw));
    for (const { id, value, options } of readings) {
      byId(`reading-${id}`).value = String(value);
      byId(`reading-${id}`).parentElement.toggleAttribute("data-changed", value !== options[0]);
    }
    const count = this.changed().size;
    byId("readings-changed").textContent = count ? `${count} changed` : "";
  }

  static #draw({ id, says, options }) {
    const select = element("select");
    Object.assign(select, { name: id, id: `reading-${id}` });
    select.append(...options.map((each, index) => new Option(index ? String(each) : `${each} (default)`, String(each))));
    return labeled(says, select);
  }

  /** Return the readings that differ from the default, as strings by name. */
  changed() {
    return new Map(this.readings.filter(({ value, options }) => value !== options[0]).map(({ id, value }) => [id, String(value)]));
  }

  /** Use the readings *wanted* in this run, and the defaults for the others. */
  async use(wanted) {
    const values = this.readings.map(({ id, options }) => [id, options.find((each) => String(each) === wanted.get(id)) ?? options[0]]);
    await api("readings", Object.fromEntries(values), "PUT");
  }
}

function parsed([name, text]) {
  try {
    return [name, JSON.parse(text)];
  } catch {
    throw new Error(`${name} is not JSON.`);
  }
}

export class Settings {
  constructor() {
    byId("settings").addEventListener("change", ({ target: { name, value } }) => {
      const wanted = this.changed();
      if (value.trim()) wanted.set(name, value);
      else wanted.delete(name);
      this.use(wanted);
    });
  }

  /**
   * @param {Record<string, unknown>} settings the current values
   * @param {Record<string, unknown>} changes those that differ from the file
   */
  show(settings, changes) {
    this.changes = changes;
    byId("configuration").hidden = Object.keys(settings).length === 0;
    const known = [...byId("settings").querySelectorAll("input")].map(({ name }) => name);
    if (known.join() !== Object.keys(settings).join()) {
      byId("settings").replaceChildren(...Object.keys(settings).map((name) => labeled(name, textField({ name }))));
    }
    for (const field of byId("settings").querySelectorAll("input")) {
      if (field !== document.activeElement) field.value = JSON.stringify(settings[field.name]);
      field.parentElement.toggleAttribute("data-changed", field.name in changes);
    }
  }

  /** Return the values that differ from the file, as JSON by name. */
  changed() {
    return new Map(Object.entries(this.changes).map(([name, value]) => [name, JSON.stringify(value)]));
  }

  /** Use the values *wanted*, JSON by name, and the file's values for the others; show the error if this fails. */
  async use(wanted) {
    let why = "";
    try {
      await api("configuration", Object.fromEntries([...wanted].map(parsed)), "PUT");
    } catch ({ message }) {
      why = message;
      byId("settings").closest("details").open = true;
    }
    byId("settings-error").textContent = why;
  }
}
