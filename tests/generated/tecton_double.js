// A double of Tecton that follows a script: `window.plan` says how it connects, what it has and what it answers.
(() => {
  "use strict";

  const plan = window.plan;
  const never = () => new Promise(() => {});
  // Every call, in turn, for the test to read.
  const calls = (window.calls = []);

  const late = new Promise((resolve) => {
    window.answerLate = resolve;
  });

  // An answer is {"resolve": value}, {"reject": value}, {"never": true} or, what answerLate() gives, {"late": true}.
  // The last one of a list stays.
  function answer(name) {
    const list = plan.answers[name] ?? [{ never: true }];
    const next = list.length > 1 ? list.shift() : list[0];
    if (next.never) return never();
    if (next.late) return late;
    return "reject" in next ? Promise.reject(next.reject) : Promise.resolve(next.resolve);
  }

  const sources = {
    requestExtensionData({ route, body }) {
      calls.push([route, body]);
      return answer(route);
    },
  };
  const actions = {};
  if (plan.verify !== "missing") {
    ({ actions, sources })[plan.verify ?? "actions"].verifyMFA = (argument) => {
      calls.push(["verifyMFA", argument]);
      return answer(argument.exit ? "exit" : "verifyMFA");
    };
  }
  if (plan.language) {
    let language = plan.language;
    const listeners = [];
    sources.loc = (key, values) => {
      const message = plan.texts[language]?.[key];
      if (message === undefined) return plan.missingText === "key" ? key : undefined;
      return new IntlMessageFormat.IntlMessageFormat(message, language).format(values);
    };
    sources.languageChanged = (listener) => listeners.push(listener);
    window.changeLanguage = (tag) => {
      language = tag;
      listeners.forEach((listener) => listener(tag));
    };
  }
  const api = { sources, actions };
  window.tecton = { connected: never() };
  const connect = () => {
    Object.assign(window.tecton, api);
    return api;
  };
  if (plan.connects === "late") {
    window.tecton.connected = new Promise((resolve) => {
      window.connectLate = () => resolve(connect());
    });
  } else if (plan.connects === "rejects") {
    window.tecton.connected = Promise.reject(new Error("no UUX"));
    window.tecton.connected.catch(() => {});
  } else if (plan.connects !== "never") {
    window.tecton.connected = Promise.resolve().then(connect);
  }
})();
