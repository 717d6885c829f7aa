"use strict";

const js = require("@eslint/js");
const tseslint = require("typescript-eslint");
const borders = require("./eslint/borders");
const determinism = require("./eslint/determinism");
const noRelativeImportCall = require("./eslint/no-relative-import-call");
const noServiceFieldInitialiser = require("./eslint/no-service-field-initialiser");

/** Rules for every TypeScript file, beyond the type-aware recommended set. */
const typescript = {
  "@typescript-eslint/no-floating-promises": "error",
  "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
  "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
  "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
  "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
  "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
  // Async without await is how an implementation of an asynchronous port turns a throw into a rejection.
  "@typescript-eslint/require-await": "off",
  // Likewise a generator without yield is one of several steps of one kind.
  "require-yield": "off",
  // It judges some assertions unnecessary without which the compiler refuses the code.
  "@typescript-eslint/no-unnecessary-type-assertion": "off",
  // Ports are objects of functions, and are destructured.
  "@typescript-eslint/unbound-method": "off",
  eqeqeq: "error",
  "no-param-reassign": "error",
};

module.exports = tseslint.config(
  { ignores: ["node_modules/**", "dist/**", "data/**", "coverage/**"] },
  { linterOptions: { noInlineConfig: true } },
  {
    files: ["**/*.js"],
    extends: [js.configs.recommended],
    languageOptions: { sourceType: "commonjs", globals: { __dirname: "readonly", process: "readonly" } },
  },
  {
    files: ["**/*.ts"],
    extends: [js.configs.recommended, tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    rules: typescript,
  },
  { files: ["{lib,actors,services,mixins}/**/*.ts"], rules: { "no-console": "error" } },
  {
    files: ["{bin,repl,lib,actors,services,mixins}/**/*.ts", "moleculer.config.ts"],
    rules: { "no-restricted-syntax": ["error", ...noRelativeImportCall] },
  },
  {
    files: ["**/*.service.ts"],
    plugins: { parley: { rules: { "no-service-field-initialiser": noServiceFieldInitialiser } } },
    rules: { "parley/no-service-field-initialiser": "error" },
  },
  ...borders,
  ...determinism,
);
