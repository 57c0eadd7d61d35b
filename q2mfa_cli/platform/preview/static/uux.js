// UUX's page: starts challenges, shows the extension in the outlet, answers the Tecton bridge, and draws the sequence.
import { readAddress, writeAddress } from "./address.js";
import { Attributes } from "./attributes.js";
import { listen } from "./bridge.js";
import { announce, api, byId, copy, element } from "./dom.js";
import { Overlay } from "./overlay.js";
import { Readings, Settings } from "./run.js";
import { Sequence } from "./sequence.js";
import { Toolbar } from "./toolbar.js";

const outlet = () => byId("outlet");
const wanted = readAddress();

let platform = await api("platform");
const readings = new Readings();
const settings = new Settings();
const overlay = new Overlay();
let challenge = null; // the ID of the current challenge
let connected = false; // whether the page in the outlet has connected to the bridge
let events = null;

// --- The request for MFA -------------------------------------------------------------------------------------------

const chosen = () => platform.workflows.find(({ id }) => id === byId("ask").elements.workflow.value);

function keepInAddress() {
  writeAddress({
    workflow: chosen().id,
    switches: switchesOn(),
    choices: toolbar.choices(),
    mfaInfo: attributes.changed(),
    readings: readings.changed(),
    settings: settings.changed(),
  });
}

function choice(kind, name, { id, label, says }) {
  const row = element("label", "choice");
  const input = Object.assign(element("input"), { type: kind, name, value: id, id: `${name}-${id}` });
  const text = element("span", "", label);
  const hint = element("span", "hint", says);
  hint.id = `${input.id}-hint`;
  input.setAttribute("aria-describedby", hint.id);
  if (kind === "checkbox") input.setAttribute("role", "switch");
  text.append(hint);
  row.append(input, text);
  // The hint describes the choice, and must not be part of its accessible name.
  input.setAttribute("aria-label", label);
  return row;
}

// Each start uses a new customer, because used codes and locks belong to a customer. A typed registration value is kept.
let started = false;
async function renewCustomer() {
  if (started && platform.integration === "standard" && attributes.isDefault("registration_value")) {
    platform = await api("platform");
    attributes.renew(chosen().mfa_info);
  }
  started = true;
}

// Ignore a second click on Start while a challenge starts.
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
  let id;
  try {
    ({ id } = await api("challenges", `{"workflow": ${JSON.stringify(chosen().id)}, "mfa_info": ${attributes.asJson()}}`));
  } catch (error) {
    return say(error.message, "refused");
  }
  challenge = id;
  sequence.replace([]);
  sequence.draw();
  follow(id);
  byId("customer").textContent = attributes.get("sso_identifier");
  byId("authenticator").hidden = platform.phone || platform.integration !== "standard" || !attributes.get("registration_value");
  if (!byId("authenticator").hidden) byId("qr").src = `/api/challenges/${id}/qr.svg`;
  byId("passcode").value = NO_CODE; // until this customer's code is loaded
  showPasscode();
  showMessages(id, []);
  byId("log").replaceChildren();
  await setSwitches();
  await openOutlet(id);
}

// --- The outlet, and the bridge ------------------------------------------------------------------------------------

/** Open the extension in a new outlet. Once the page has loaded, `data-challenge` is the ID of its challenge. */
async function openOutlet(id) {
  const { method, url, ticket, allow } = await api(`challenges/${id}/outlet`, {});
  if (id !== challenge) return; // another challenge has started since
  byId("closed").hidden = true;
  byId("outlet-title").textContent = "";
  byId("fetching").hidden = true;
  connected = false;
  // A new frame, so that events of the previous page cannot be mistaken for this page's.
  const frame = outlet().cloneNode();
  delete frame.dataset.challenge;
  frame.hidden = false;
  frame.allow = allow;
  frame.addEventListener("load", () => {
    if (frame.contentDocument !== null) return; // the initial empty page, which has this page's origin
    frame.dataset.challenge = id;
    // An extension's page reports its height. An identity provider's page cannot, so it gets the height of a login form.
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
  const form = Object.assign(element("form"), { method: "post", action: url, target: frame.name, hidden: true });
  form.append(Object.assign(element("input"), { type: "hidden", name: "q2_ticket", value: ticket }));
  document.body.append(form);
  form.submit();
  form.remove();
}

const isField = (element) => ["INPUT", "SELECT"].includes(element?.tagName);

/** A loading page takes the focus. Return it to *field* until the user goes to the page. */
function keepFocus(frame, field) {
  const stop = new AbortController();
  // The new active element is known only after the event.
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
      return toolbar.preferences();
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
      // The page does not receive HQ's reason. Q2 does not document what it receives in production.
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

// --- The toolbar and the run ----------------------------------------------------------------------------------------

async function changeAppearance() {
  await toolbar.apply();
  keepInAddress();
  outlet().contentWindow?.postMessage({ tecton: { preferences: toolbar.preferences() } }, platform.extension_origin);
}

/** Show the extension's current name, kind, settings, and changes for this run. */
function showPlatform() {
  document.title = `${platform.name} – q2mfa preview`;
  byId("name").textContent = platform.name;
  byId("kind").textContent = `q2mfa preview · ${platform.rendering} · ${platform.kind}`;
  byId("changed").hidden = platform.changed_for_this_run.length === 0;
  byId("changed-list").replaceChildren(...platform.changed_for_this_run.map((text) => element("li", "", text)));
  readings.show(platform.readings);
  settings.show(platform.settings, platform.changes);
}

/** Show the reloaded extension; *why* says why the reload failed. */
async function showReloaded(id, why) {
  announce(why || "The extension has changed and was reloaded.");
  openOutlet(id);
  platform = await api("platform");
  attributes.renew(chosen().mfa_info);
  showPlatform();
  keepInAddress();
}

function say(text, outcome) {
  const bar = byId("outcome");
  if (bar.textContent === text && bar.dataset.outcome === outcome) return;
  // Screen readers announce every change, so skip equal texts.
  if (bar.textContent !== text) bar.textContent = text;
  bar.dataset.outcome = outcome;
  byId("cover").hidden = outcome !== "complete";
  outlet().inert = outcome === "complete";
  const closed = { left: "The customer left MFA. Nothing was confirmed.", closed: "Online banking closed the page." }[outcome];
  if (closed && byId("closed").hidden) closeOutlet(closed);
  byId("reload").disabled = outcome === "complete";
  byId("close").disabled = outcome === "complete" || Boolean(closed);
}

// --- Events --------------------------------------------------------------------------------------------------------

// Events are drawn in batches: at once if they are rare, and ten times a second in a burst of calls.
const PACE = 100;
let waiting = [];
let drawn = 0;

function drawSoon(message) {
  if (waiting.push([challenge, message]) > 1) return;
  setTimeout(() => requestAnimationFrame(draw), Math.max(0, drawn + PACE - performance.now()));
}

function draw() {
  const happened = waiting.filter(([id]) => id === challenge).map(([, message]) => message);
  [waiting, drawn] = [[], performance.now()];
  for (const message of happened) take(message);
  sequence.draw();
  const status = happened.findLast((message) => message.status)?.status;
  if (status) say(status.text, status.outcome);
}

function take({ rows, row, gone, failure, messages, log, line, style, theme, reload }) {
  if (rows) {
    // The page opens again. Failures come in the same order, so one of the previous page cannot stay.
    overlay.hide();
    sequence.replace(rows);
  }
  if (row) sequence.put(row);
  if (gone !== undefined) sequence.remove(gone);
  if (failure) overlay.show(failure);
  if (messages) showMessages(challenge, messages);
  for (const each of log ?? (line ? [line] : [])) showLine(each);
  if (style) outlet().contentWindow.postMessage({ tecton: { style } }, platform.extension_origin);
  if (theme) changeAppearance();
  if (reload) showReloaded(challenge, reload.why);
}

function follow(id) {
  events?.close();
  const socket = new WebSocket(`ws://${location.host}/api/challenges/${id}/events`);
  events = socket;
  socket.addEventListener("message", ({ data }) => {
    if (events === socket) drawSoon(JSON.parse(data));
  });
  socket.addEventListener("close", () => {
    if (events === socket) waitForPreview();
  });
}

async function waitForPreview() {
  waiting = [];
  say("The preview was stopped. Start it again, and this page reloads.", "refused");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    try {
      await api("platform");
      location.reload();
      return;
    } catch {
      // The preview is not running yet.
    }
  }
}

// --- The phone -----------------------------------------------------------------------------------------------------

function showMessages(id, messages) {
  // Hide the phone of an extension that sends no messages.
  byId("phone").hidden = !platform.phone && messages.length === 0;
  byId("phone-empty").hidden = messages.length > 0;
  byId("messages").replaceChildren(
    ...messages.map((message) => {
      const item = element("li", "", `${message.to}: ${message.text}`);
      if (message.answer) item.append(" ", element("strong", "", message.answer === "approved" ? "Approved." : "Denied."));
      else if (message.asks) item.append(answerButton(id, message, "approved", "Approve"), answerButton(id, message, "denied", "Deny"));
      return item;
    }),
  );
}

function answerButton(id, message, answer, label) {
  const button = Object.assign(element("button", "", label), { type: "button" });
  button.addEventListener("click", () => api(`challenges/${id}/messages/answer`, { id: message.id, answer }));
  return button;
}

// --- The log -------------------------------------------------------------------------------------------------------

const LOG_LINES = 500;

function showLine({ level, text }) {
  const list = byId("log");
  const item = element("li");
  item.dataset.level = level;
  item.append(element("strong", "", level), ` ${text}`);
  list.append(item);
  if (list.children.length > LOG_LINES) list.firstElementChild.remove();
}

// --- The authenticator app ----------------------------------------------------------------------------------------

const NO_CODE = "––– –––";
let nextPasscode;
async function showPasscode() {
  clearTimeout(nextPasscode);
  if (byId("authenticator").hidden) return;
  const id = challenge;
  try {
    const { passcode, seconds } = await api(`challenges/${id}/passcode`);
    if (id !== challenge) return; // the passcode of another customer
    byId("passcode").value = passcode.replace(/^(...)/, "$1 ");
    countDown(performance.now() + seconds * 1000);
  } catch (error) {
    byId("passcode").value = NO_CODE;
    announce(error.message);
    byId("authenticator").hidden = true;
  }
}

/** Show the remaining part of the code's 30 seconds. Updates once a second, because an animation would use much CPU time. */
function countDown(end) {
  const left = (end - performance.now()) / 1000;
  byId("left").style.width = `${(Math.max(0, left) / 30) * 100}%`;
  clearTimeout(nextPasscode);
  nextPasscode = setTimeout(() => (left > 0 ? countDown(end) : showPasscode()), Math.max(100, Math.min(1000, left * 1000)));
}

// --- Switches -------------------------------------------------------------------------------------------------------

const switchesOn = () => [...byId("switches").querySelectorAll("input:checked")].map(({ value }) => value);

async function setSwitches() {
  keepInAddress();
  await api(`challenges/${challenge}/switches`, { on: switchesOn() }, "PUT");
}

// --- The page --------------------------------------------------------------------------------------------------------

if (wanted.workflow !== null) {
  readings.show(platform.readings);
  await readings.use(wanted.readings);
  await settings.use(wanted.settings);
  platform = await api("platform");
}
const sequence = new Sequence(byId("sequence"), byId("lanes"), platform);
byId("workflows").append(...platform.workflows.map((workflow) => choice("radio", "workflow", workflow)));
(byId(`workflow-${wanted.workflow}`) ?? byId("workflow-login")).checked = true;
byId("switches").append(...platform.switches.map((each) => choice("checkbox", "switch", each)));
for (const input of byId("switches").querySelectorAll("input")) input.checked = wanted.switches.includes(input.value);
const attributes = new Attributes(chosen().mfa_info, wanted.mfaInfo);
const toolbar = new Toolbar(platform.theme, wanted.choices, changeAppearance);
byId("workflows").addEventListener("change", () => attributes.showDefaults(chosen().mfa_info));
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
showPlatform();
await changeAppearance();
await start();
