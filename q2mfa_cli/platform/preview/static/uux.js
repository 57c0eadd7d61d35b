// UUX's page: starts challenges, shows the extension in the outlet, answers the Tecton bridge, and draws the sequence.
import { listen } from "./bridge.js";
import { Overlay } from "./overlay.js";
import { Sequence } from "./sequence.js";

const byId = (id) => document.getElementById(id);
const outlet = () => byId("outlet");

async function api(path, body, method = body === undefined ? "GET" : "POST") {
  const response = await fetch(`/api/${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
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

// By attribute: its label, and how its text is read.
const asText = (text) => text;
const asNumber = (text) => (/^-?\d+$/.test(text) ? Number(text) : text);
const ATTRIBUTES = {
  mfa_context: asText,
  transaction_ids: (text) => text.split(",").map((each) => asNumber(each.trim())),
  audit_action_id: asNumber,
  audit_action_name: asText,
  registration_value: asText,
  sso_identifier: asText,
};

const chosen = () => platform.workflows.find(({ id }) => id === byId("ask").elements.workflow.value);

function showAttributes() {
  const rows = Object.entries(ATTRIBUTES)
    .filter(([name]) => name in chosen().mfa_info)
    .map(([name]) => {
      const label = document.createElement("label");
      const input = document.createElement("input");
      label.textContent = name;
      Object.assign(input, { name, value: [chosen().mfa_info[name]].flat().join(", "), autocomplete: "off", spellcheck: false });
      label.append(input);
      return label;
    });
  byId("mfa-info").replaceChildren(...rows);
}

function mfaInfo() {
  const inputs = [...byId("mfa-info").querySelectorAll("input")].filter(({ value }) => value.trim() !== "");
  return Object.fromEntries(inputs.map(({ name, value }) => [name, ATTRIBUTES[name](value.trim())]));
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

// Each start is a new customer, unless somebody typed a registration value: a used code and a lock are the customer's.
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
  const request = { workflow: chosen().id, mfa_info: mfaInfo() };
  let id;
  try {
    ({ id } = await api("challenges", request));
  } catch (error) {
    return say(error.message, "refused");
  }
  challenge = id;
  sequence.replace([]);
  follow(id);
  byId("customer").textContent = request.mfa_info.sso_identifier ?? "";
  byId("authenticator").hidden = platform.phone || platform.integration !== "standard" || !request.mfa_info.registration_value;
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
  outlet().replaceWith(frame);
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

const preferences = () => ({ language: byId("language").value, colorScheme: byId("color-scheme").value });

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
    const { rows, row, gone, status, failure, messages, log, line, reload } = JSON.parse(data);
    if (events !== socket) return;
    if (rows) sequence.replace(rows);
    if (row) sequence.put(row);
    if (gone !== undefined) sequence.remove(gone);
    if (status) say(status.text, status.outcome);
    if (failure) overlay.show(failure);
    if (messages) showMessages(id, messages);
    for (const each of log ?? (line ? [line] : [])) showLine(each);
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

async function setSwitches() {
  const on = [...byId("switches").querySelectorAll("input:checked")].map(({ value }) => value);
  await api(`challenges/${challenge}/switches`, { on }, "PUT");
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
byId("readings").append(...platform.readings.map(readingChoice));
byId("language").addEventListener("change", tellPreferences);
byId("color-scheme").addEventListener("change", tellPreferences);
byId("workflow-login").checked = true;
byId("workflows").addEventListener("change", showAttributes);
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
showAttributes();
await start();
