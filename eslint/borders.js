"use strict";

/**
 * Which folder may import what. Sources are matched as they are written, so they stay relative: `../` up to the root,
 * then the folder. Type imports are let through only where a border says so.
 */

const UP = "^(?:\\.\\./)+";
/** Nothing that is shipped imports these. */
const OUTSIDE = ["bin", "bench", "repl", "test", "web"];

const folders = (names, message) => ({ regex: `${UP}(?:${names.join("|")})(?:/|$)`, message });
const matching = (tail, message, extra = {}) => ({ regex: UP + tail, message, ...extra });

/** The contracts and what they are made of: all that a browser may load. */
const CONTRACTS = "services/(?:contracts|schemas|[^/]+/[^/]+\\.contract)$";

const border = (files, patterns, ignores = []) => ({
  files,
  ignores,
  rules: { "@typescript-eslint/no-restricted-imports": ["error", { patterns }] },
});

module.exports = [
  border(["lib/**"], [folders(["actors", "services", "mixins", ...OUTSIDE], "lib/ knows no domain: pass it in.")]),
  border(
    ["actors/**"],
    [
      folders(["mixins", ...OUTSIDE], "actors/ stand on lib/ alone."),
      matching("services/(?!schemas$)", "actors/ know no service."),
      matching("services/schemas$", "Only types of the wire shapes.", { allowTypeImports: true }),
    ],
  ),
  border(
    ["services/**", "mixins/**"],
    [
      folders(OUTSIDE, "services are started by others, they import no starter."),
      matching(
        "(?!lib/|actors/)(?:[^/.][^/]*/)+[^/]+\\.(?:service|store)$",
        "Another service's store and handlers are its own: call its actions.",
      ),
    ],
    ["services/**/*.contract.ts", "services/{contracts,schemas}.ts"],
  ),
  border(
    ["services/**/*.contract.ts", "services/{contracts,schemas}.ts"],
    [
      matching("lib/(?!contract$|errors$)", "A contract describes; it runs nothing."),
      folders(["actors", "mixins", ...OUTSIDE], "A contract describes; it runs nothing."),
      { regex: "\\.(?:service|store)$", message: "A contract describes; it runs nothing." },
    ],
  ),
  border(
    ["repl/**"],
    [folders(["actors", "mixins", "bin", "bench", "test", "web"], "REPL commands call actions, as operators do.")],
  ),
  border(
    ["web/**"],
    [
      folders(["lib", "actors", "mixins", "repl", "bin", "bench", "test"], "web/ imports contracts only."),
      matching(`(?!${CONTRACTS})services/`, "web/ imports contracts only."),
    ],
  ),
];
