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
   * @param {HTMLElement} list scrolls; the newest row stays in view unless somebody scrolled up
   * @param {HTMLElement} heads of the lifelines
   * @param {{steps: Array, parties: Record<string, string>, lanes: string[]}} platform
   */
  constructor(list, heads, { steps, parties, lanes }) {
    Object.assign(this, { list, heads, steps, parties, lanes: [...lanes] });
    this.ahead = steps.map(([step, sender, receiver, what]) => this.#draw({ step, sender, receiver, what, state: "ahead" }));
    this.#drawLanes();
    this.replace([]);
  }

  /** Show *rows* and no others. */
  replace(rows) {
    this.items = new Map(); // by index: {row, element}
    this.list.replaceChildren();
    for (const row of rows) this.put(row);
    this.#drawAhead();
  }

  put(row) {
    for (const party of [row.sender, row.receiver]) {
      if (!this.lanes.includes(party)) {
        this.lanes.push(party);
        this.#drawLanes();
      }
    }
    const followed = this.#isInView([...this.items.values()].at(-1)?.element);
    const drawn = this.#draw(row);
    drawn.dataset.fresh = "";
    const known = this.items.get(row.index);
    if (known) known.element.replaceWith(drawn);
    else this.list.insertBefore(drawn, this.ahead.find((each) => each.parentElement === this.list) ?? null);
    this.items.set(row.index, { row, element: drawn });
    if (row.step) this.#drawAhead();
    if (followed && !known) this.#show(drawn);
  }

  remove(index) {
    this.items.get(index)?.element.remove();
    this.items.delete(index);
  }

  #isInView(item) {
    const { scrollTop, clientHeight } = this.list.parentElement;
    return !item || item.offsetTop < scrollTop + clientHeight;
  }

  #show(item) {
    const scroller = this.list.parentElement;
    const below = item.offsetTop + item.offsetHeight - scroller.clientHeight;
    if (below > scroller.scrollTop) scroller.scrollTop = below + 8;
  }

  #drawLanes() {
    this.heads.replaceChildren(...this.lanes.map((party) => element("span", "lane", this.parties[party])));
    for (const part of [this.list, this.heads]) part.style.setProperty("--lanes", this.lanes.length);
  }

  #drawAhead() {
    // The last message of a step says how far this attempt has come: after a refused code, the next one begins at 1.
    const numbered = [...this.items.values()].filter(({ row }) => row.step);
    const reached = numbered.at(-1)?.row.step ?? 0;
    for (const each of this.ahead) {
      if (Number(each.dataset.step) <= reached) each.remove();
      else this.list.append(each);
    }
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
