// Draws the sequence: the recorded rows, then the remaining ones of the eight steps.
import { element } from "./dom.js";

const seconds = (value) => `+${value.toFixed(value < 10 ? 2 : 1)} s`;
const took = (value) => (value === null ? "" : value < 0.001 ? "< 1 ms" : `${Math.round(value * 1000)} ms`);

/** Flatten a payload to `name value` pairs. */
function* pairs(value, name = "") {
  if (Array.isArray(value)) yield [name, value.join(", ")];
  else if (value !== null && typeof value === "object") {
    for (const [key, item] of Object.entries(value)) yield* pairs(item, key);
  } else yield [name, String(value)];
}

// The maximum number of drawn rows. The copied reports contain all rows.
const DRAWN = 200;

export class Sequence {
  /**
   * Changes appear at the next `draw()`, which draws each row at most once.
   *
   * @param {HTMLElement} list scrolls; the newest row stays in view unless someone scrolled up
   * @param {HTMLElement} heads of the lifelines
   * @param {{steps: Array, parties: Record<string, string>, lanes: string[]}} platform
   */
  constructor(list, heads, { steps, parties, lanes }) {
    Object.assign(this, { list, heads, steps, parties, lanes: [...lanes] });
    this.ahead = steps.map(([step, sender, receiver, what]) => this.#drawRow({ step, sender, receiver, what, state: "ahead" }));
    this.earlier = element("li", "earlier");
    this.#drawLanes();
    this.replace([]);
    this.draw();
    // Stop following when the user scrolls up. Layout changes scroll too, but never up.
    let before = 0;
    list.parentElement.addEventListener("scroll", () => {
      const { scrollTop, clientHeight } = list.parentElement;
      if (!this.last || this.last.offsetTop < scrollTop + clientHeight) this.follows = true;
      else if (scrollTop < before) this.follows = false;
      before = scrollTop;
    });
  }

  /** Show *rows* only. */
  replace(rows) {
    this.drawn = new Map(); // elements by index
    this.changed = new Map(); // rows to draw again, by index
    this.newest = -1; // the index of the newest row
    this.dropped = 0; // rows that are no longer drawn
    this.numbered = { index: 0, step: 0 }; // the newest row that has a step
    this.follows = true;
    this.isEmptied = true;
    for (const row of rows) this.put(row);
  }

  put(row) {
    const isNew = row.index > this.newest;
    // A row that is no longer drawn may still change.
    if (isNew || this.drawn.has(row.index) || this.changed.has(row.index)) this.changed.set(row.index, row);
    if (isNew) this.newest = row.index;
    // The newest step shows the progress of this attempt. After a refused code, the next attempt begins at 1.
    if (row.step && row.index >= this.numbered.index) this.numbered = row;
  }

  remove(index) {
    this.changed.delete(index);
    this.drawn.get(index)?.remove();
    this.drawn.delete(index);
  }

  draw() {
    if (this.isEmptied) this.list.replaceChildren();
    this.isEmptied = false;
    const before = this.last;
    if (before) delete before.dataset.fresh;
    this.#dropOldest();
    for (const [index, row] of this.changed) this.#place(index, row);
    this.changed.clear();
    this.last = [...this.drawn.values()].at(-1) ?? null;
    this.#drawAhead(this.numbered.step);
    if (!this.last || this.last === before) return;
    this.last.dataset.fresh = "";
    if (this.follows) this.#showLast();
  }

  #place(index, row) {
    this.#addLanes(row);
    const item = this.#drawRow(row);
    const known = this.drawn.get(index);
    if (known) known.replaceWith(item);
    else this.list.insertBefore(item, this.ahead.find((each) => each.parentElement === this.list) ?? null);
    this.drawn.set(index, item);
  }

  /** Remove all but the newest rows. */
  #dropOldest() {
    const indices = [...new Set([...this.drawn.keys(), ...this.changed.keys()])];
    const old = indices.slice(0, Math.max(0, indices.length - DRAWN));
    if (old.length === 0) return;
    for (const index of old) this.remove(index);
    this.dropped += old.length;
    this.earlier.textContent = `${this.dropped} earlier messages are in the copied reports.`;
    if (this.earlier.parentElement !== this.list) this.list.prepend(this.earlier);
  }

  #showLast() {
    const scroller = this.list.parentElement;
    const below = this.last.offsetTop + this.last.offsetHeight - scroller.clientHeight;
    if (below > scroller.scrollTop) scroller.scrollTop = below + 8;
  }

  #addLanes({ sender, receiver }) {
    const added = [sender, receiver].filter((party) => !this.lanes.includes(party));
    if (added.length === 0) return;
    this.lanes.push(...added);
    this.#drawLanes();
  }

  #drawLanes() {
    this.heads.replaceChildren(...this.lanes.map((party) => element("span", "lane", this.parties[party])));
    for (const part of [this.list, this.heads]) part.style.setProperty("--lanes", this.lanes.length);
  }

  #drawAhead(reached) {
    const toCome = this.ahead.filter((each) => Number(each.dataset.step) > reached);
    for (const each of this.ahead) if (!toCome.includes(each)) each.remove();
    if (toCome.some((each) => each.parentElement !== this.list)) this.list.append(...toCome);
  }

  #drawRow(row) {
    const item = element("li", "row");
    item.dataset.state = row.state;
    if (row.step) item.dataset.step = row.step;

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
    if (row.count > 1) what.append(element("span", "count", `× ${row.count}`));
    item.append(number, what);
    if (row.state !== "ahead") {
      const when = element("p", "when");
      when.append(element("span", "at", seconds(row.at)), element("span", "took", took(row.took)));
      item.append(when);
    }

    const strip = element("div", "strip");
    strip.setAttribute("aria-hidden", "true");
    const arrow = element("div", "arrow");
    const [from, to] = [this.lanes.indexOf(row.sender), this.lanes.indexOf(row.receiver)];
    arrow.dataset.to = to > from ? "right" : "left";
    arrow.style.setProperty("--from", Math.min(from, to));
    arrow.style.setProperty("--span", Math.abs(to - from));
    strip.append(arrow);
    item.append(strip);

    if (row.why) item.append(element("p", "why", row.why));
    if (row.state !== "ahead") {
      const payload = element("p", "payload");
      if (meaning) payload.append(element("span", "call", row.what));
      payload.append(...shownPairs(row.payload));
      const answer = shownPairs(row.answer);
      if (answer.length > 0) payload.append(element("span", "answer", "answer"), ...answer);
      if (payload.hasChildNodes()) item.append(payload);
    }
    return item;
  }
}

function shownPairs(value) {
  return [...pairs(value ?? {})].map(([name, text]) => {
    const pair = element("span", "pair");
    if (name) pair.append(element("span", "key", name));
    pair.append(` ${text}`);
    return pair;
  });
}
