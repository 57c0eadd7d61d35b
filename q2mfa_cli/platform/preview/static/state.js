// What the page's address keeps, so that a link shows the same again: see `docs/preview.md`.

const byId = (id) => document.getElementById(id);

/** By parameter: the select that it sets. */
const SELECTS = { language: "language", theme: "theme", motion: "motion", width: "width" };

/** The workflow, attributes and switches that the address asks for, once the selects are set. */
export function readAddress() {
  const given = new URLSearchParams(location.search);
  for (const [name, id] of Object.entries(SELECTS)) {
    const select = byId(id);
    if ([...select.options].some(({ value }) => value === given.get(name))) select.value = given.get(name);
  }
  const attributes = [...given].filter(([name]) => name.startsWith("mfa_info."));
  return {
    workflow: given.get("workflow"),
    switches: given.getAll("switch"),
    mfaInfo: new Map(attributes.map(([name, text]) => [name.slice("mfa_info.".length), text])),
  };
}

/**
 * @param {string} workflow @param {string[]} switches
 * @param {Map<string, string>} mfaInfo the attributes that differ from those that the workflow starts with, as they are typed
 */
export function writeAddress(workflow, switches, mfaInfo) {
  const parameters = new URLSearchParams({ workflow });
  for (const [name, text] of mfaInfo) parameters.append(`mfa_info.${name}`, text);
  for (const id of switches) parameters.append("switch", id);
  for (const [name, id] of Object.entries(SELECTS)) {
    if (byId(id).value !== byId(id).options[0].value) parameters.append(name, byId(id).value);
  }
  history.replaceState(null, "", `?${parameters}`);
}
