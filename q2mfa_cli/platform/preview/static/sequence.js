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

// How many rows are drawn. The copied reports have all.
const DRAWN = 200;

export class Sequence {
  /**
   * @param {HTMLElement} list scrolls; the newest row stays in view unless someone scrolled up
   * @param {HTMLElement} heads of the lifelines
   * @param {{steps: Array, parties: Record<string, string>, lanes: string[]}} platform
   */
  constructor(list, heads, { steps, parties, lanes }) {
    Object.assign(this, { list, heads, steps, parties, lanes: [...lanes] });
    this.ahead = steps.map(([step, sender, receiver, what]) => this.#draw({ step, sender, receiver, what, state: "ahead" }));
    this.#drawLanes();
    this.replace([]);
    // Someone who scrolls up does not want to be taken away; a layout that changes scrolls too, but not up.
    let before = 0;
    list.parentElement.addEventListener("scroll", () => {
      const { scrollTop, clientHeight } = list.parentElement;
      if (!this.last || this.last.element.offsetTop < scrollTop + clientHeight) this.follows = true;
      else if (scrollTop < before) this.follows = false;
      before = scrollTop;
    });
  }

  /** Show *rows* and no others. */
  replace(rows) {
    this.items = new Map(); // by index: {row, element}
    this.last = null; // of them
    this.dropped = 0; // rows that are no longer drawn
    this.numbered = 0; // the newest one that has a step
    this.follows = true;
    this.list.replaceChildren();
    this.#drawAhead(0);
    for (const row of rows) this.put(row);
  }

  put(row) {
    for (const party of [row.sender, row.receiver]) {
      if (!this.lanes.includes(party)) {
        this.lanes.push(party);
        this.#drawLanes();
      }
    }
    // A row that is no longer drawn may still change.
    if (!this.items.has(row.index) && row.index < (this.last?.row.index ?? 0)) return;
    const item = { row, element: this.#draw(row) };
    item.element.dataset.fresh = "";
    const known = this.items.get(row.index);
    if (known) known.element.replaceWith(item.element);
    else this.list.insertBefore(item.element, this.ahead.find((each) => each.parentElement === this.list) ?? null);
    this.items.set(row.index, item);
    if (this.items.size > DRAWN) this.#dropOldest();
    if (!known || known === this.last) this.last = item;
    // The newest message of a step says how far this attempt has come: after a refused code, the next one begins at 1.
    if (row.step && row.index >= this.numbered) {
      this.numbered = row.index;
      this.#drawAhead(row.step);
    }
    if (this.follows && !known) this.#show();
  }

  #dropOldest() {
    this.remove(this.items.keys().next().value);
    this.dropped += 1;
    this.earlier ??= element("li", "earlier");
    this.earlier.textContent = `${this.dropped} earlier messages are in the copied reports.`;
    if (this.earlier.parentElement !== this.list) this.list.prepend(this.earlier);
  }

  remove(index) {
    this.items.get(index)?.element.remove();
    this.items.delete(index);
    if (this.last?.row.index === index) this.last = [...this.items.values()].at(-1) ?? null;
  }

  // Once a frame: the place of a row is known only after a layout. A row that comes into view may turn out to be higher.
  #show() {
    this.waits ??= requestAnimationFrame(() => {
      this.waits = null;
      if (!this.last) return;
      const scroller = this.list.parentElement;
      const below = this.last.element.offsetTop + this.last.element.offsetHeight - scroller.clientHeight;
      if (below <= scroller.scrollTop) return;
      const before = scroller.scrollTop;
      scroller.scrollTop = below + 8;
      if (scroller.scrollTop !== before) this.#show();
    });
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

  #draw(row) {
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
