// The state in the page's URL, so that a link reproduces it: see `docs/how-to/preview.md`.

const PREFIXES = { mfaInfo: "mfa_info.", readings: "reading.", settings: "setting." };

/**
 * Read the state from the URL.
 *
 * @returns {{workflow: string | null, switches: string[], choices: URLSearchParams, mfaInfo: Map, readings: Map, settings: Map}}
 *   the maps have strings by name; `workflow` is null if the URL has no state
 */
export function readAddress() {
  const given = new URLSearchParams(location.search);
  const named = Object.entries(PREFIXES).map(([part, prefix]) => [
    part,
    new Map([...given].filter(([name]) => name.startsWith(prefix)).map(([name, text]) => [name.slice(prefix.length), text])),
  ]);
  return { workflow: given.get("workflow"), switches: given.getAll("switch"), choices: given, ...Object.fromEntries(named) };
}

/** Write the state to the URL. @param {{workflow: string, switches: string[]}} shown with the maps of readAddress, without defaults */
export function writeAddress({ workflow, switches, choices, ...named }) {
  const parameters = new URLSearchParams({ workflow });
  for (const [part, prefix] of Object.entries(PREFIXES)) for (const [name, text] of named[part]) parameters.append(prefix + name, text);
  for (const id of switches) parameters.append("switch", id);
  for (const [name, value] of choices) parameters.append(name, value);
  history.replaceState(null, "", `?${parameters}`);
}
