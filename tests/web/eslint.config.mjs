// ESLint's recommended rules for the generated scripts.
import js from '@eslint/js';
import globals from 'globals';

export default [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2022, sourceType: 'script', globals: { ...globals.browser, externalMfa: 'readonly' } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
  },
];
