import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["assets/web/leaflet/"] }, // vendored
  js.configs.recommended,
  { files: ["assets/web/**"], languageOptions: { globals: globals.browser } },
  { files: ["tests/web/**"], languageOptions: { globals: globals.nodeBuiltin } },
  {
    rules: {
      eqeqeq: "error",
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
