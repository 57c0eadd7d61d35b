// UUX's page: starts challenges, shows the extension in the outlet, answers the Tecton bridge, and draws the sequence.
import { listen } from "./bridge.js";
import { Overlay } from "./overlay.js";
import { Sequence } from "./sequence.js";
import { readAddress, writeAddress } from "./state.js";

const byId = (id) => document.getElementById(id);
const outlet = () => byId("outlet");

async function api(path, body, method = body === undefined ? "GET" : "POST") {
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

const platform = await api("platform");
const sequence = new Sequence(byId("sequence"), byId("lanes"), platform);
const overlay = new Overlay(copy);
let challenge = null; // the id of the current one
let connected = false; // whether the page in the outlet has connected to the bridge
let events = null;

// --- The request for MFA -------------------------------------------------------------------------------------------

// Values of mfa_info are typed as text and sent as JSON: a number stays as it is typed, with all its digits.
const ATTRIBUTES = ["mfa_context", "transaction_ids", "audit_action_id", "audit_action_name", "registration_value", "sso_identifier"];
const NUMBERS = ["transaction_ids", "audit_action_id"];
const asJson = (name, text) => (NUMBERS.includes(name) && /^-?(0|[1-9]\d*)$/.test(text) ? text : JSON.stringify(text));
const asList = (text) => text.split(",").map((each) => each.trim()).filter(Boolean);

const chosen = () => platform.workflows.find(({ id }) => id === byId("ask").elements.workflow.value);

const typedByDefault = (name) => [chosen().mfa_info[name] ?? ""].flat().join(", ");

/** @param {Map<string, string>} given what to show instead of what the workflow starts with */
function showAttributes(given = new Map()) {
  const rows = ATTRIBUTES.map((name) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    label.textContent = name;
    Object.assign(input, { name, value: given.get(name) ?? typedByDefault(name), autocomplete: "off", spellcheck: false });
    label.append(input);
    return label;
  });
  byId("mfa-info").replaceChildren(...rows);
}

const attributeInputs = () => [...byId("mfa-info").querySelectorAll("input")];

/** The attributes as the text of a JSON object. */
function mfaInfo() {
  const pairs = attributeInputs()
    .map(({ name, value }) => [name, value.trim()])
    .filter(([, text]) => text !== "")
    .map(([name, text]) => {
      const value = name === "transaction_ids" ? `[${asList(text).map((each) => asJson(name, each))}]` : asJson(name, text);
      return `${JSON.stringify(name)}: ${value}`;
    });
  return `{${pairs.join(", ")}}`;
}

function keepInAddress() {
  const changed = attributeInputs().filter(({ name, value }) => value.trim() !== typedByDefault(name));
  writeAddress(chosen().id, switchesOn(), new Map(changed.map(({ name, value }) => [name, value.trim()])));
}

function choice(kind, name, { id, label, says }) {
  const row = document.createElement("label");
  const input = document.createElement("input");
  const text = document.createElement("span");
  const hint = document.createElement("span");
  row.className = "choice";
  Object.assign(input, { type: kind, name, value: id, id: `${name}-${id}` });
  text.textContent = label;
  hint.textContent = says;
  hint.className = "hint";
  hint.id = `${input.id}-hint`;
  input.setAttribute("aria-describedby", hint.id);
  if (kind === "checkbox") input.setAttribute("role", "switch");
  text.append(hint);
  row.append(input, text);
  // The hint describes the choice and is not part of its name.
  input.setAttribute("aria-label", label);
  return row;
}

// Each start is a new customer, unless someone typed a registration value: a used code and a lock are the customer's.
let started = false;
async function renewCustomer() {
  const input = byId("mfa-info").querySelector('[name="registration_value"]');
  if (started && platform.integration === "standard" && input?.value === chosen().mfa_info.registration_value) {
    platform.workflows = (await api("platform")).workflows;
    input.value = chosen().mfa_info.registration_value;
  }
  started = true;
}

// One at a time: a second click on Start is the same start.
let starting = false;
async function start() {
  if (starting) return;
  starting = true;
  try {
    await startChallenge();
  } finally {
    starting = false;
  }
}

async function startChallenge() {
  await renewCustomer();
  keepInAddress();
  const typed = Object.fromEntries(attributeInputs().map(({ name, value }) => [name, value.trim()]));
  let id;
  try {
    ({ id } = await api("challenges", `{"workflow": ${JSON.stringify(chosen().id)}, "mfa_info": ${mfaInfo()}}`));
  } catch (error) {
    return say(error.message, "refused");
  }
  challenge = id;
  sequence.replace([]);
  follow(id);
  byId("customer").textContent = typed.sso_identifier;
  byId("authenticator").hidden = platform.phone || platform.integration !== "standard" || !typed.registration_value;
  if (!byId("authenticator").hidden) byId("qr").src = `/api/challenges/${id}/qr.svg`;
  byId("passcode").value = "––– –––"; // until the code of this customer is there
  showPasscode();
  showMessages(id, []);
  byId("log").replaceChildren();
  await setSwitches();
  await openOutlet(id);
}

// --- The outlet, and the bridge ------------------------------------------------------------------------------------

/** Open the extension in a new outlet. Its `data-challenge` says which challenge it shows, once the page has loaded. */
async function openOutlet(id) {
  overlay.hide();
  const { method, url, ticket, allow, failure } = await api(`challenges/${id}/outlet`, {});
  if (id !== challenge) return; // another challenge was started meanwhile
  if (failure) overlay.show(failure);
  byId("closed").hidden = true;
  byId("outlet-title").textContent = "";
  byId("fetching").hidden = true;
  connected = false;
  // A new frame each time: an event of the page before it cannot be taken for one of this page.
  const frame = outlet().cloneNode();
  delete frame.dataset.challenge;
  frame.hidden = false;
  frame.allow = allow;
  frame.addEventListener("load", () => {
    if (frame.contentDocument !== null) return; // still the empty page: it has this origin, the extension has another
    frame.dataset.challenge = id;
    // The extension's page reports its height. An identity provider's page cannot, and gets what a login form needs.
    if (!connected && platform.integration === "redirect") setHeight(LOGIN_HEIGHT);
    connected = false;
  });
  const typing = document.activeElement;
  outlet().replaceWith(frame);
  if (typing?.id === "outlet") frame.focus();
  else if (isField(typing) && !frame.matches(":hover")) keepFocus(frame, typing);
  if (method === "get") {
    frame.contentWindow.location.replace(url);
    return;
  }
  const form = document.createElement("form");
  const field = document.createElement("input");
  Object.assign(form, { method: "post", action: url, target: frame.name, hidden: true });
  Object.assign(field, { type: "hidden", name: "q2_ticket", value: ticket });
  form.append(field);
  document.body.append(form);
  form.submit();
  form.remove();
}

const isField = (element) => ["INPUT", "SELECT"].includes(element?.tagName);

/** A page that loads takes the focus. Give it back to *field* until someone goes to the page. */
function keepFocus(frame, field) {
  const stop = new AbortController();
  // Only after the event is it known what has the focus now.
  const giveBack = () => document.activeElement === frame && field.focus();
  addEventListener("blur", () => setTimeout(giveBack), { signal: stop.signal });
  frame.addEventListener("pointerenter", () => stop.abort(), { signal: stop.signal });
  field.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && relatedTarget !== frame && stop.abort(), { signal: stop.signal });
}

function closeOutlet(text) {
  const frame = outlet().cloneNode();
  delete frame.dataset.challenge;
  frame.hidden = true;
  outlet().replaceWith(frame);
  byId("closed").textContent = text;
  byId("closed").hidden = false;
}

const LOGIN_HEIGHT = 480;
const setHeight = (height) => {
  outlet().style.height = `${Math.min(Math.max(Number(height) || 0, 320), 1200)}px`;
};

listen(outlet, platform.extension_origin, {
  connect: {
    connect: () => {
      connected = true;
      return preferences();
    },
  },
  failure: { failure: (report) => api(`challenges/${challenge}/failures`, report) },
  size: { size: ({ height }) => setHeight(height) },
  sources: {
    requestExtensionData: async ({ route, body = {}, featureName } = {}) => {
      if (featureName !== undefined && featureName !== platform.name) {
        throw new Error(`There is no extension ${featureName} here`);
      }
      const { error: _, ...answer } = await api(`challenges/${challenge}/extension`, { route, body });
      if (answer.status < 200 || answer.status > 299) throw answer; // a plain object, as in Tecton
      return answer;
    },
    promptForMFA: ({ message = "" } = {}) => {
      const dialog = byId("prompt");
      byId("prompt-message").textContent = message;
      dialog.returnValue = "failed";
      dialog.showModal();
      return new Promise((resolve, reject) => {
        const settle = () => (dialog.returnValue === "complete" ? resolve() : reject(new Error("MFA failed")));
        dialog.addEventListener("close", settle, { once: true });
      });
    },
  },
  actions: {
    verifyMFA: async ({ token, exit = false } = {}) => {
      const { why, outcome } = await api(`challenges/${challenge}/verify`, { token, exit });
      // The reason stays at HQ. Q2 does not document what a page is told in production.
      if (why && outcome !== "left") throw new Error("MFA failed");
    },
    setTitle: (title) => {
      byId("outlet-title").textContent = typeof title === "string" ? title : title?.title ?? "";
    },
    setFetching: (fetching) => {
      byId("fetching").hidden = !(typeof fetching === "object" ? fetching?.fetching : fetching);
    },
    showModal: ({ title = "", message = "" } = {}) => {
      byId("modal-title").textContent = title;
      byId("modal-message").textContent = message;
      byId("modal").showModal();
    },
  },
});

// --- Language, theme and readings -----------------------------------------------------------------------------------

const themes = {};
const preferences = () => ({
  language: byId("language").value,
  colorScheme: byId("theme").value === "dark" ? "dark" : "",
  motion: byId("motion").value,
  theme: themes[byId("theme").value] ?? "",
});

/** The text of the chosen theme: what it changes of Tecton's base theme. */
async function loadTheme() {
  const name = byId("theme").value;
  if (name === "tecton") return;
  const response = await fetch(name === "file" ? "/api/theme" : `/theme-${name}.css`);
  if (response.ok) themes[name] = await response.text();
}

async function changeSettings() {
  byId("bank").style.maxWidth = byId("width").value === "full" ? "" : `${byId("width").value}px`;
  await loadTheme();
  keepInAddress();
  tellPreferences();
}

function tellPreferences() {
  outlet().contentWindow?.postMessage({ tecton: { preferences: preferences() } }, platform.extension_origin);
}

function readingChoice({ id, says, value, options }) {
  const label = document.createElement("label");
  const select = document.createElement("select");
  label.textContent = says;
  select.id = `reading-${id}`;
  select.append(...options.map((each) => new Option(String(each), JSON.stringify(each), false, each === value)));
  select.addEventListener("change", setReadings);
  label.append(select);
  return label;
}

async function setReadings() {
  const values = platform.readings.map(({ id }) => [id, JSON.parse(byId(`reading-${id}`).value)]);
  await api("readings", Object.fromEntries(values), "PUT");
}

function settingField([name, value]) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  label.textContent = name;
  Object.assign(input, { name, value: JSON.stringify(value), autocomplete: "off", spellcheck: false });
  input.addEventListener("change", () => setSetting(input));
  label.append(input);
  return label;
}

async function setSetting({ name, value }) {
  try {
    await api("configuration", { [name]: JSON.parse(value) }, "PUT");
    byId("settings-error").textContent = "";
  } catch (error) {
    byId("settings-error").textContent = error instanceof SyntaxError ? `${name} is not JSON.` : error.message;
  }
}

function say(text, outcome) {
  const bar = byId("outcome");
  // A screen reader reads every change.
  if (bar.textContent !== text) bar.textContent = text;
  bar.dataset.outcome = outcome;
  byId("cover").hidden = outcome !== "complete";
  outlet().inert = outcome === "complete";
  const closed = { left: "The customer left MFA. Nothing was confirmed.", closed: "Online banking closed the page." }[outcome];
  if (closed && byId("closed").hidden) closeOutlet(closed);
  byId("reload").disabled = outcome === "complete";
  byId("close").disabled = outcome === "complete" || Boolean(closed);
}

// --- What happens --------------------------------------------------------------------------------------------------

function follow(id) {
  events?.close();
  const socket = new WebSocket(`ws://${location.host}/api/challenges/${id}/events`);
  events = socket;
  socket.addEventListener("message", ({ data }) => {
    const { rows, row, gone, status, failure, messages, log, line, style, theme, reload } = JSON.parse(data);
    if (events !== socket) return;
    if (rows) sequence.replace(rows);
    if (row) sequence.put(row);
    if (gone !== undefined) sequence.remove(gone);
    if (status) say(status.text, status.outcome);
    if (failure) overlay.show(failure);
    if (messages) showMessages(id, messages);
    for (const each of log ?? (line ? [line] : [])) showLine(each);
    if (style) outlet().contentWindow.postMessage({ tecton: { style } }, platform.extension_origin);
    if (theme) changeSettings();
    if (reload) {
      byId("said").textContent = reload.why || "The extension has changed and was loaded again.";
      openOutlet(id);
    }
  });
  socket.addEventListener("close", () => {
    if (events === socket) waitForPreview();
  });
}

async function waitForPreview() {
  say("The preview was stopped. Start it again, and this page reloads.", "refused");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    try {
      await api("platform");
      location.reload();
      return;
    } catch {
      // It does not answer yet.
    }
  }
}

// --- The phone -----------------------------------------------------------------------------------------------------

function showMessages(id, messages) {
  // A phone that never gets a message is not worth its place.
  byId("phone").hidden = !platform.phone && messages.length === 0;
  byId("phone-empty").hidden = messages.length > 0;
  byId("messages").replaceChildren(
    ...messages.map((message) => {
      const item = element("li", `${message.to}: ${message.text}`);
      if (message.answer) item.append(" ", element("strong", message.answer === "approved" ? "Approved." : "Denied."));
      else if (message.asks) item.append(answerButton(id, message, "approved", "Approve"), answerButton(id, message, "denied", "Deny"));
      return item;
    }),
  );
}

function answerButton(id, message, answer, label) {
  const button = element("button", label);
  button.type = "button";
  button.addEventListener("click", () => api(`challenges/${id}/messages/answer`, { id: message.id, answer }));
  return button;
}

const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

// --- The log -------------------------------------------------------------------------------------------------------

const LOG_LINES = 500;

function showLine({ level, text }) {
  const list = byId("log");
  const item = element("li", "");
  item.dataset.level = level;
  item.append(element("strong", level), ` ${text}`);
  list.append(item);
  if (list.children.length > LOG_LINES) list.firstElementChild.remove();
  list.parentElement.scrollTop = list.parentElement.scrollHeight;
}

// --- The authenticator app ----------------------------------------------------------------------------------------

let nextPasscode;
async function showPasscode() {
  clearTimeout(nextPasscode);
  if (byId("authenticator").hidden) return;
  try {
    const { passcode, seconds } = await api(`challenges/${challenge}/passcode`);
    byId("passcode").value = passcode.replace(/^(...)/, "$1 ");
    const bar = byId("left");
    bar.getAnimations().forEach((animation) => animation.cancel());
    bar.animate([{ width: `${(seconds / 30) * 100}%` }, { width: "0%" }], { duration: seconds * 1000 });
    nextPasscode = setTimeout(showPasscode, seconds * 1000 + 100);
  } catch (error) {
    byId("passcode").value = "––– –––";
    byId("said").textContent = error.message;
    byId("authenticator").hidden = true;
  }
}

async function copy(button, text) {
  const label = button.textContent;
  await navigator.clipboard.writeText(text);
  button.textContent = "Copied";
  byId("said").textContent = "Copied.";
  setTimeout(() => {
    button.textContent = label;
  }, 1500);
}

// --- Switches -------------------------------------------------------------------------------------------------------

const switchesOn = () => [...byId("switches").querySelectorAll("input:checked")].map(({ value }) => value);

async function setSwitches() {
  keepInAddress();
  await api(`challenges/${challenge}/switches`, { on: switchesOn() }, "PUT");
}

// --- The page --------------------------------------------------------------------------------------------------------

document.title = `${platform.name} – q2mfa preview`;
byId("name").textContent = platform.name;
byId("kind").textContent = `q2mfa preview · ${platform.rendering} · ${platform.integration} integration`;
byId("workflows").append(...platform.workflows.map((workflow) => choice("radio", "workflow", workflow)));
byId("switches").append(...platform.switches.map((each) => choice("checkbox", "switch", each)));
byId("changed").hidden = platform.changed_for_this_run.length === 0;
byId("changed-list").append(
  ...platform.changed_for_this_run.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
);
byId("configuration").hidden = Object.keys(platform.settings).length === 0;
byId("settings").append(...Object.entries(platform.settings).map(settingField));
byId("readings").append(...platform.readings.map(readingChoice));
if (platform.theme) byId("theme").prepend(new Option(platform.theme, "file", true, true));
const wanted = readAddress();
(byId(`workflow-${wanted.workflow}`) ?? byId("workflow-login")).checked = true;
for (const input of byId("switches").querySelectorAll("input")) input.checked = wanted.switches.includes(input.value);
for (const id of ["language", "theme", "motion", "width"]) byId(id).addEventListener("change", changeSettings);
byId("workflows").addEventListener("change", () => showAttributes());
byId("switches").addEventListener("change", setSwitches);
byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
byId("again").addEventListener("click", start);
byId("reload").addEventListener("click", () => openOutlet(challenge));
byId("close").addEventListener("click", () => api(`challenges/${challenge}/close`, {}));
byId("copy-passcode").addEventListener("click", ({ target }) => copy(target, byId("passcode").value.replace(" ", "")));
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const response = await fetch(`/api/challenges/${challenge}/report?as=${button.dataset.copy}`);
    await copy(button, await response.text());
  });
}
showAttributes(wanted.mfaInfo);
await changeSettings();
await start();
