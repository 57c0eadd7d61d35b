// Reports failures in the extension's page to UUX's page, for the developer. The preview inserts it before the page's own
// scripts. It is not part of Tecton.
(() => {
  "use strict";

  const UUX_ORIGIN = /* {{uux_origin}} */ "";

  const framesOf = (error) => (typeof error?.stack === "string" ? error.stack.split("\n").slice(1, 20).map((line) => line.trim()) : []);
  const PLACE = /(https?:\/\/[^\s()]+?):(\d+):\d+\)?$/;

  function reportFailure(kind, message, frames = [], url = "", line = 0) {
    const place = frames.map((frame) => PLACE.exec(frame)).find((found) => found && !found[1].includes("/_cdn/"));
    const report = { kind, message: String(message), frames, url: url || place?.[1] || "", line: line || Number(place?.[2] ?? 0) };
    parent.postMessage({ tecton: { id: 0, kind: "failure", name: "failure", argument: report } }, UUX_ORIGIN);
  }

  const describe = (value) => (value instanceof Error ? `${value.name}: ${value.message}` : typeof value === "object" ? json(value) : String(value));
  const json = (value) => {
    try {
      return JSON.stringify(value);
    } catch {
      return String(value);
    }
  };

  addEventListener("error", (event) => {
    const { target, error, message, filename, lineno } = event;
    if (target !== window && target instanceof Element) {
      const url = target.src ?? target.href ?? "";
      reportFailure("", `<${target.localName}> cannot be loaded: ${url}`, [], url);
    } else reportFailure(error?.name ?? "", error?.message ?? message, framesOf(error), filename, lineno);
  }, true);
  addEventListener("unhandledrejection", ({ reason }) => {
    reportFailure(reason?.name ?? "Unhandled rejection", reason?.message ?? describe(reason), framesOf(reason));
  });
  const { error: logError } = console;
  console.error = (...values) => {
    logError.apply(console, values);
    reportFailure("console.error", values.map(describe).join(" "), framesOf(values.find((each) => each instanceof Error) ?? new Error()).slice(1));
  };
})();
