/** What every project takes. */
const common = {
  testEnvironment: "node",
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/data"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        jsc: {
          target: "es2023",
          parser: { syntax: "typescript", decorators: true },
          transform: { legacyDecorator: true, useDefineForClassFields: false },
        },
        module: { type: "commonjs" },
        sourceMaps: "inline",
      },
    ],
  },
};

/** Needs real servers: one set of them is started for the run as soon as one of these is in it. */
const CLUSTER = ["<rootDir>/test/cluster/**/*.spec.ts", "<rootDir>/test/conformance/*.{mongo,redis}.spec.ts"];
/** Needs tools that npm does not bring, but no servers. */
const DEPLOY = ["<rootDir>/test/deploy/**/*.spec.ts"];
const OTHERS = [...CLUSTER, ...DEPLOY].map((pattern) => `!${pattern.replace("<rootDir>", "**")}`);

/** One at a time: each starts processes that share two cores. */
const oneAtATime = {
  runner: "<rootDir>/test/support/one-at-a-time.js",
  setupFilesAfterEnv: ["<rootDir>/test/support/patient.ts"],
};

/** @type {import("jest").Config} */
module.exports = {
  maxWorkers: 2,
  testTimeout: 20_000,
  projects: [
    { ...common, displayName: "embedded", testMatch: ["<rootDir>/test/**/*.spec.ts", ...OTHERS] },
    { ...common, ...oneAtATime, displayName: "deploy", testMatch: DEPLOY },
    {
      ...common,
      ...oneAtATime,
      displayName: "cluster",
      testMatch: CLUSTER,
      globalSetup: "<rootDir>/test/support/servers/setup.ts",
      globalTeardown: "<rootDir>/test/support/servers/teardown.ts",
    },
  ],
};
