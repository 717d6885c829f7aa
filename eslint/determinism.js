"use strict";

const noRelativeImportCall = require("./no-relative-import-call");

/**
 * The heart runs from one seed in the simulator: time, timers and randomness come in as parameters there
 * (`Clock` and `Random` of lib/actor/ports.ts).
 */

const TIMERS = ["setTimeout", "setInterval", "setImmediate"];
const message = "The heart is simulated: take it from the Clock or Random that was passed in.";

module.exports = [
  {
    files: ["lib/actor/**", "lib/scheduling/**", "lib/outbox/**", "actors/**", "services/io/rooms/**"],
    ignores: ["lib/actor/system.ts"],
    rules: {
      "no-restricted-globals": ["error", ...TIMERS.map((name) => ({ name, message }))],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message },
        { object: "Math", property: "random", message },
        { object: "performance", property: "now", message },
        { object: "process", property: "hrtime", message },
        { object: "process", property: "uptime", message },
        { object: "crypto", property: "randomUUID", message },
        { object: "crypto", property: "getRandomValues", message },
        ...TIMERS.map((property) => ({ object: "globalThis", property, message })),
      ],
      "no-restricted-syntax": [
        "error",
        ...noRelativeImportCall,
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message },
        { selector: "CallExpression[callee.name='Date']", message },
      ],
      "no-restricted-imports": [
        "error",
        {
          paths: [
            ...["timers", "timers/promises", "perf_hooks"].flatMap((name) => [
              { name, message },
              { name: `node:${name}`, message },
            ]),
            ...["crypto", "node:crypto"].map((name) => ({
              name,
              importNames: ["randomBytes", "randomInt", "randomUUID", "randomFill", "randomFillSync", "webcrypto"],
              message,
            })),
          ],
        },
      ],
    },
  },
];
