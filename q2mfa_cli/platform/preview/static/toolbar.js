// The toolbar: language, theme, width, contrast and motion of the extension's page. The bridge sends them to that page.
import { byId } from "./dom.js";

const CHOICES = ["language", "theme", "width", "contrast", "motion"];

const styles = new Map(); // contents by URL
const path = { theme: { tecton: "", file: "/api/theme" }, contrast: { "": "" } };
const chosen = (name) => byId(name).value;

/** Return the URL of the style sheet that a choice adds to Tecton's base theme; empty if none. */
const styleOf = (name) => path[name][chosen(name)] ?? `/${name}-${chosen(name)}.css`;

export class Toolbar {
  /**
   * @param {string} themeFile the name of the file of `--theme`, if there is one
   * @param {URLSearchParams} given the choices in the URL
   * @param {() => void} changed called when a choice changes
   */
  constructor(themeFile, given, changed) {
    if (themeFile) byId("theme").prepend(new Option(themeFile, "file", true, true));
    for (const name of CHOICES) {
      const select = byId(name);
      if ([...select.options].some(({ value }) => value === given.get(name))) select.value = given.get(name);
      select.addEventListener("change", changed);
    }
  }

  /** Return the choices that differ from the first option, as pairs of name and value. */
  choices() {
    return CHOICES.filter((name) => byId(name).selectedIndex > 0).map((name) => [name, chosen(name)]);
  }

  /** Apply the choices to the outlet, and load their style sheets. */
  async apply() {
    byId("bank").style.maxWidth = chosen("width") === "full" ? "" : `${chosen("width")}px`;
    for (const address of ["theme", "contrast"].map(styleOf).filter(Boolean)) {
      const response = await fetch(address);
      if (response.ok) styles.set(address, await response.text());
    }
  }

  /** Return the preferences for the extension's page: see `applyPreferences` in tecton.js. */
  preferences() {
    return {
      language: chosen("language"),
      colorScheme: chosen("theme") === "dark" ? "dark" : "",
      contrast: chosen("contrast"),
      motion: chosen("motion"),
      theme: ["theme", "contrast"].map((name) => styles.get(styleOf(name)) ?? "").join("\n"),
    };
  }
}
