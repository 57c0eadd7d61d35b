// The error overlay on the outlet: the error, its place, the source, and the extension's part of the traceback.

import { byId, copy, element } from "./dom.js";

/** Return the failure as plain text, for a bug report. */
function asText({ what, where, during, source, line, frames }) {
  const code = source.map(([number, text]) => `${number === line ? ">" : " "} ${String(number).padStart(4)} | ${text}`);
  return [what, `${where || "?"} (${during})`, "", ...code, "", ...frames].join("\n").trim();
}

export class Overlay {
  constructor() {
    this.part = byId("failure");
    byId("copy-failure").addEventListener("click", ({ target }) => copy(target, asText(this.failure)));
    byId("dismiss-failure").addEventListener("click", () => this.hide());
    this.part.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.hide();
    });
  }

  show(failure) {
    // The first failure is the cause. It can make the page fail too.
    if (!this.part.hidden) return;
    this.failure = failure;
    byId("failure-what").textContent = failure.what;
    byId("failure-where").textContent = [failure.where, failure.during].filter(Boolean).join(" · ");
    const lines = failure.source.map(([number, text]) => {
      const line = element("span", "code-line");
      line.append(element("span", "code-number", String(number).padStart(4)), ` ${text}\n`);
      if (number === failure.line) line.dataset.current = "";
      return line;
    });
    byId("failure-source").replaceChildren(...lines);
    byId("failure-source").hidden = lines.length === 0;
    byId("failure-frames").textContent = failure.frames.join("\n");
    byId("failure-frames").hidden = failure.frames.length === 0;
    this.part.hidden = false;
  }

  hide() {
    this.part.hidden = true;
  }
}
