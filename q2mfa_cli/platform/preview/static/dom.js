// DOM and API functions for all modules of UUX's page.

export const byId = (id) => document.getElementById(id);

export function element(tag, className = "", text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

/** Return a label around a field or select. */
export function labeled(text, control) {
  const label = element("label", "", text);
  label.append(control);
  return label;
}

/** Return a text field without autocomplete and spell checking. */
export function textField(properties) {
  return Object.assign(element("input"), { autocomplete: "off", spellcheck: false }, properties);
}

/** Call UUX's API. @param body an object, or the text of a JSON object */
export async function api(path, body, method = body === undefined ? "GET" : "POST") {
  const response = await fetch(`/api/${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: typeof body === "object" ? JSON.stringify(body) : body,
  });
  const text = await response.text();
  const answer = text ? JSON.parse(text) : {};
  if (!response.ok) throw new Error(answer.error ?? response.statusText);
  return answer;
}

/** Announce *text* to screen readers. */
export function announce(text) {
  byId("said").textContent = text;
}

export async function copy(button, text) {
  const label = button.textContent;
  await navigator.clipboard.writeText(text);
  button.textContent = "Copied";
  announce("Copied.");
  setTimeout(() => {
    button.textContent = label;
  }, 1500);
}
