// What the page's address keeps, so that a link shows the same again: see `docs/how-to/preview.md`.

const PREFIXES = { mfaInfo: "mfa_info.", readings: "reading.", settings: "setting." };

/**
 * What the address asks for.
 *
 * @returns {{workflow: string | null, switches: string[], choices: URLSearchParams, mfaInfo: Map, readings: Map, settings: Map}}
 *   the maps have texts, by name; `workflow` is null if the address asks for nothing
 */
export function readAddress() {
  const given = new URLSearchParams(location.search);
  const named = Object.entries(PREFIXES).map(([part, prefix]) => [
    part,
    new Map([...given].filter(([name]) => name.startsWith(prefix)).map(([name, text]) => [name.slice(prefix.length), text])),
  ]);
  return { workflow: given.get("workflow"), switches: given.getAll("switch"), choices: given, ...Object.fromEntries(named) };
}

/** Keep what differs from the defaults. @param {{workflow: string, switches: string[]}} shown and maps, as of readAddress */
export function writeAddress({ workflow, switches, choices, ...named }) {
  const parameters = new URLSearchParams({ workflow });
  for (const [part, prefix] of Object.entries(PREFIXES)) for (const [name, text] of named[part]) parameters.append(prefix + name, text);
  for (const id of switches) parameters.append("switch", id);
  for (const [name, value] of choices) parameters.append(name, value);
  history.replaceState(null, "", `?${parameters}`);
}
