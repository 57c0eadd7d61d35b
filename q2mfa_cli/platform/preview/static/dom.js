// What every part of UUX's page needs.

export const byId = (id) => document.getElementById(id);

export function element(tag, className = "", text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

/** A labeled field or select. */
export function labeled(text, control) {
  const label = element("label", "", text);
  label.append(control);
  return label;
}

/** A text field for names and values. */
export function textField(properties) {
  return Object.assign(element("input"), { autocomplete: "off", spellcheck: false }, properties);
}

/** Ask UUX's server. @param body an object, or the text of a JSON object */
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

/** Tell a screen reader. */
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
