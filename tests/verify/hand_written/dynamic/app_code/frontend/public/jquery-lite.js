// As much of jQuery as the page uses.
window.$ = (what) => {
  if (typeof what === "function") return addEventListener("DOMContentLoaded", what);
  const all = [...document.querySelectorAll(what)];
  const each = (change) => (all.forEach(change), $(what));
  return {
    html: (markup) => each((element) => (element.innerHTML = markup)),
    on: (event, does) => each((element) => element.addEventListener(event, does)),
    prop: (name, value) => each((element) => (element[name] = value)),
    text: (text) => each((element) => (element.textContent = text)),
    val: () => all[0].value,
  };
};
