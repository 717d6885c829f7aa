import { ESLint, type Linter, RuleTester } from "eslint";
import tseslint from "typescript-eslint";

const config = jest.requireActual<Linter.Config[]>("../../eslint.config.js");

/** The project's rules without those that need the file's types: the files below exist in name only. */
const eslint = new ESLint({
  overrideConfigFile: true,
  baseConfig: [...config, { files: ["**/*.ts"], ...tseslint.configs.disableTypeChecked }] as Linter.Config[],
});

async function rulesBroken(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath });
  const ids = (result?.messages ?? []).map((message) => message.ruleId ?? message.message);
  return [...new Set(ids)].filter((id) => id !== "@typescript-eslint/no-unused-vars");
}

describe("layer borders", () => {
  const BORDER = "@typescript-eslint/no-restricted-imports";

  it.each([
    ["lib/kv/memory.ts", `import { x } from "../../services/schemas";`],
    ["lib/node.ts", `import type { x } from "../actors/conversation/conversation.state";`],
    ["actors/conversation/conversation.state.ts", `import { Event } from "../../services/schemas";`],
    ["actors/conversation/conversation.actor.ts", `import type { x } from "../../services/io/frames";`],
    ["services/room/room.service.ts", `import { x } from "../message/message.store";`],
    ["services/io/rooms/room.ts", `import { x } from "../../session/session.service";`],
    ["services/auth/auth.service.ts", `import { x } from "../../test/support/oracle";`],
    ["services/room/room.contract.ts", `import { x } from "./room.store";`],
    ["services/room/room.contract.ts", `import { x } from "../../lib/config";`],
    ["repl/who.ts", `import { x } from "../actors/conversation/conversation.store";`],
    ["web/app/chat.ts", `import { x } from "../../services/io/frames";`],
    ["web/app/chat.ts", `import { x } from "../../lib/contract";`],
  ])("%s may not contain %s", async (file, code) => {
    expect(await rulesBroken(file, `${code}\nexport type Y = typeof x;`)).toContain(BORDER);
  });

  it.each([
    ["lib/kv/memory.ts", `import { x } from "../actor/ports";`],
    ["actors/conversation/conversation.state.ts", `import type { x } from "../../services/schemas";`],
    ["actors/conversation/conversation.actor.ts", `import { x } from "../../lib/actor/writer";`],
    ["services/room/room.service.ts", `import { x } from "./room.store";`],
    ["services/room/room.service.ts", `import { x } from "../../actors/conversation/conversation.store";`],
    ["services/io/io.service.ts", `import { x } from "../session/session.contract";`],
    ["services/io/io.service.ts", `import { x } from "../session/queue";`],
    ["repl/who.ts", `import { x } from "../services/schemas";`],
    ["web/app/chat.ts", `import { x } from "../../services/message/message.contract";`],
    ["web/app/chat.ts", `import { x } from "../../services/schemas";`],
    ["test/unit/state.spec.ts", `import { x } from "../../services/message/message.store";`],
  ])("%s may contain %s", async (file, code) => {
    expect(await rulesBroken(file, `${code}\nexport type Y = typeof x;`)).not.toContain(BORDER);
  });
});

describe("determinism of the heart", () => {
  const HIDDEN_INPUTS = [
    "export const at = Date.now();",
    "export const at = new Date();",
    "export const dice = Math.random();",
    "setTimeout(() => undefined, 1);",
    "globalThis.setInterval(() => undefined, 1);",
    `import { randomUUID } from "node:crypto";\nexport const id = randomUUID();`,
    `import { setTimeout as wait } from "node:timers/promises";\nexport const later = wait(1);`,
  ];

  it.each(HIDDEN_INPUTS)("is broken by %s", async (code) => {
    for (const file of [
      "lib/actor/writer.ts",
      "actors/conversation/conversation.actor.ts",
      "services/io/rooms/room.ts",
    ])
      expect(await rulesBroken(file, code)).toEqual([expect.stringMatching(/^no-restricted-/)]);
  });

  it.each(HIDDEN_INPUTS)("does not forbid elsewhere: %s", async (code) => {
    expect(await rulesBroken("services/presence/presence.service.ts", code)).toEqual([]);
  });

  it("lets a passed-in clock and a stored time through", async () => {
    const code =
      "export const iso = (clock: { setTimeout(f: () => void): void }, at: number) => {\n  clock.setTimeout(() => undefined);\n  return new Date(at).toISOString();\n};";
    expect(await rulesBroken("lib/actor/writer.ts", code)).toEqual([]);
  });
});

describe("inline configuration", () => {
  it("cannot switch a rule off", async () => {
    const code = `// eslint-disable-next-line no-restricted-globals\nsetTimeout(() => undefined, 1);`;
    expect(await rulesBroken("lib/actor/writer.ts", code)).toContain("no-restricted-globals");
  });
});

new RuleTester({ languageOptions: { parser: tseslint.parser } }).run(
  "no-service-field-initialiser",
  jest.requireActual("../../eslint/no-service-field-initialiser.js"),
  {
    valid: [
      "class Chat extends Service { declare rooms: Map<string, string>; created() { this.rooms = new Map(); } }",
      "class Chat extends Service { rooms!: Map<string, string>; }",
      "class Chat extends Service { static readonly LIMIT = 5; }",
      "const LIMIT = 5; class Chat extends Service { limit() { return LIMIT; } }",
    ],
    invalid: [
      {
        code: "class Chat extends Service { rooms = new Map(); }",
        errors: [{ messageId: "shared", data: { name: "rooms" } }],
      },
      { code: "class Chat extends Service { private open = false; }", errors: 1 },
      { code: "class Chat extends Service { handle = () => 1; }", errors: 1 },
      { code: "class Chat extends Service { static rooms = new Map(); }", errors: 1 },
      { code: "const Chat = class { #seen = []; };", errors: 1 },
    ],
  },
);

describe("loading on demand", () => {
  const SYNTAX = "no-restricted-syntax";

  it.each(["lib/node.ts", "lib/actor/writer.ts", "bin/parley.ts"])(
    "does not import() our files in %s",
    async (file) => {
      expect(await rulesBroken(file, `export const load = () => import("./other");`)).toContain(SYNTAX);
      expect(await rulesBroken(file, "export const load = (x: string) => import(`../${x}`);")).toContain(SYNTAX);
      expect(await rulesBroken(file, `export const load = () => import("pino");`)).toEqual([]);
    },
  );

  it("may do so in tests, which Jest transforms", async () => {
    expect(await rulesBroken("test/unit/x.spec.ts", `export const load = () => import("./other");`)).toEqual([]);
  });
});
