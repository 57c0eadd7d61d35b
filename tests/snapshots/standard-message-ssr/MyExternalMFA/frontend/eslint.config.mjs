const globals = ["addEventListener", "clearTimeout", "document", "externalMfa", "history", "location", "performance"];
globals.push("sessionStorage", "setTimeout", "stop", "URLSearchParams");

export default [
  {
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: "script",
      globals: Object.fromEntries(globals.map((name) => [name, "readonly"])),
    },
    rules: {
      "eqeqeq": "error",
      "no-dupe-keys": "error",
      "no-undef": "error",
      "no-unreachable": "error",
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": "error",
      "strict": "error",
    },
  },
];
