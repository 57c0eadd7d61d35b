// Draws the sequence: the rows that happened, then those of the eight steps that are still to come.

const seconds = (value) => `+${value.toFixed(value < 10 ? 2 : 1)} s`;
const took = (value) => (value === null ? "" : value < 0.001 ? "< 1 ms" : `${Math.round(value * 1000)} ms`);

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** A payload as `name value` pairs, however deep. */
function* pairs(value, name = "") {
  if (Array.isArray(value)) yield [name, value.join(", ")];
  else if (value !== null && typeof value === "object") {
    for (const [key, item] of Object.entries(value)) yield* pairs(item, key);
  } else yield [name, String(value)];
}

export class Sequence {
  /**
   * @param {HTMLElement} list @param {HTMLElement} lanes the heads of the lifelines
   * @param {{steps: Array, parties: Record<string, string>}} platform
   */
  constructor(list, lanes, { steps, parties }) {
    Object.assign(this, { list, steps, parties });
    this.order = Object.keys(parties);
    lanes.replaceChildren(...this.order.map((party) => element("span", "lane", parties[party])));
    for (const part of [list, lanes]) part.style.setProperty("--lanes", this.order.length);
    this.clear();
  }

  clear() {
    this.rows = [];
    this.draw();
  }

  put(row) {
    this.rows[row.index] = row;
    this.draw(row.index);
  }

  draw(fresh = -1) {
    // The last message of a step says how far this attempt has come: after a refused code, the next one begins at 1.
    const numbered = this.rows.filter((row) => row?.step);
    const reached = numbered.at(-1)?.step ?? 0;
    const happened = this.rows.filter(Boolean).map((row) => this.#row(row, row.index === fresh));
    const ahead = this.steps
      .filter(([number]) => number > reached)
      .map(([step, sender, receiver, what]) => this.#row({ step, sender, receiver, what, state: "ahead" }));
    this.list.replaceChildren(...happened, ...ahead);
  }

  #row(row, fresh = false) {
    const item = element("li", "row");
    item.dataset.state = row.state;
    if (row.step) item.dataset.step = row.step;
    if (fresh) item.dataset.fresh = "";

    const state = { ok: "done", failed: "failed", running: "running", ahead: "to come" }[row.state];
    const number = element("span", "number", row.step ?? "");
    number.setAttribute("aria-hidden", "true");
    const what = element("p", "what");
    if (row.step) what.append(element("span", "visually-hidden", `Step ${row.step}, ${state}: `));
    const meaning = this.steps.find(([step]) => step === row.step)?.[3];
    what.append(
      element("span", "way", `${this.parties[row.sender]} → ${this.parties[row.receiver]}`),
      element("span", "said", meaning ?? row.what),
    );
    item.append(number, what);
    if (row.state !== "ahead") {
      const when = element("p", "when");
      when.append(element("span", "at", seconds(row.at)), element("span", "took", took(row.took)));
      item.append(when);
    }

    const strip = element("div", "strip");
    strip.setAttribute("aria-hidden", "true");
    const arrow = element("div", "arrow");
    const [from, to] = [this.order.indexOf(row.sender), this.order.indexOf(row.receiver)];
    arrow.dataset.to = to > from ? "right" : "left";
    arrow.style.setProperty("--from", Math.min(from, to));
    arrow.style.setProperty("--span", Math.abs(to - from));
    strip.append(arrow);
    item.append(strip);

    if (row.why) item.append(element("p", "why", row.why));
    if (row.state !== "ahead") {
      const payload = element("p", "payload");
      if (meaning) payload.append(element("span", "call", row.what));
      for (const [name, value] of pairs(row.payload ?? {})) {
        const pair = element("span", "pair");
        pair.append(element("span", "key", name), ` ${value}`);
        payload.append(pair);
      }
      if (payload.hasChildNodes()) item.append(payload);
    }
    return item;
  }
}
