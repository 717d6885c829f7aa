import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Action, CommandParams } from "../../../actors/conversation/conversation.commands";
import type { AttachmentData } from "../../../actors/conversation/conversation.events";
import { DEFAULT_RULES, type Desk } from "../../../actors/conversation/conversation.session-state";
import { readJsonLines } from "../../../bin/bulk/jsonl";
import type { Flaw } from "../../../bin/bulk/chunk";
import type { ExportRecord, ImportItem } from "../../../services/bulk/bulk.contract";
import { command } from "../conversation/world";
import { SmallServer } from "./small-server";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "parley-lines-"))));
afterAll(() => rmSync(folder, { recursive: true }));

interface Step {
  readonly by: string;
  readonly action: Action;
  readonly params: CommandParams[Action];
}

const by = fc.constantFrom("carl", "ada", "sue");
const seq = fc.integer({ min: 3, max: 12 });
const text = fc.oneof(fc.constantFrom("Hello", "Bye"), fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }));
const emoji = fc.constantFrom("+1", "-1", "constructor", "__proto__");
const attachments = fc.constant<AttachmentData[]>([{ url: "https://example.org/a.png", name: "a.png", size: 3 }]);
const audience = fc.constantFrom<Pick<CommandParams["send"], "audience" | "whisper">>(
  {},
  { audience: "staff" },
  { audience: "staff", whisper: true },
);

const order = <A extends Action>(weight: number, action: A, params: fc.Arbitrary<CommandParams[A]>, who = by) => ({
  weight,
  arbitrary: fc.record({ by: who, params }).map((given): Step => ({ ...given, action })),
});
const said = fc.record({ text, attachments, replyTo: seq }, { requiredKeys: [] });
const send = fc
  .tuple(said, audience)
  .map(([content, seen]) => ({ ...(content.text || content.attachments ? content : { text: "?" }), ...seen }));
const step = fc.oneof(
  order(8, "send", send),
  order(4, "edit", fc.record({ seq, text })),
  order(2, "delete", fc.record({ seq })),
  order(5, "react", fc.record({ seq, emoji, on: fc.boolean() })),
  order(1, "close", fc.constantFrom({}, { reason: "done" })),
  order(1, "return", fc.constant({})),
  order(1, "claim", fc.constant({})),
  order(1, "reopen", fc.constant({})),
);
const rating = fc.option(
  fc.record({ score: fc.integer({ min: 1, max: 5 }), comment: text }, { requiredKeys: ["score"] }),
);
const talk = fc.record({
  steps: fc.array(step, { minLength: 5, maxLength: 30, size: "max" }),
  closes: fc.boolean(),
  rating,
  opens: fc.boolean(),
});
type Talk = typeof talk extends fc.Arbitrary<infer T> ? T : never;

const DESK: Desk = { headStart: { class: 0 }, rules: DEFAULT_RULES };

/** What happened: each session has a customer of its own, and the same staff. */
function begun(talks: readonly Talk[]): SmallServer {
  const server = new SmallServer();
  for (const id of ["ada", "sue"]) server.users.set(id, `${id} of the desk`);
  talks.forEach(({ steps, closes, rating: rated, opens }, n) => {
    const id = `session-${n}`;
    const customer = `carl-${n}`;
    server.users.set(customer, "Carl");
    const give = (who: string, action: Action, params: CommandParams[Action]) =>
      server.world.give(id, command(who === "carl" ? customer : who, action, params));
    give("carl", "open", { topic: "loan", urgency: "high", subject: "Money", desk: DESK });
    give("ada", "claim", {});
    give("sue", "join", {});
    for (const one of steps) give(one.by, one.action, one.params);
    if (closes) give("ada", "close", { reason: "solved" });
    if (rated)
      give("carl", "rate", rated.comment === undefined ? { score: rated.score } : (rated as { score: number }));
    if (opens) give("carl", "reopen", {});
  });
  return server;
}

/** The items that the program would send for these lines, cut into smaller ones. */
async function itemsOf(lines: readonly ExportRecord[], size: number): Promise<ImportItem[]> {
  const file = join(folder, "file.jsonl");
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const flaws: Flaw[] = [];
  const items: ImportItem[] = [];
  for await (const { item } of readJsonLines(file, "jsonl", (flaw) => flaws.push(flaw))) {
    const { messages, conversation } = item;
    for (let at = 0; at === 0 || at < messages.length; at += size)
      items.push({
        conversation,
        messages: messages.slice(at, at + size),
        last: item.last && at + size >= messages.length,
      });
  }
  expect(flaws).toEqual([]);
  return items;
}

describe("JSON lines of what people did", () => {
  it("are the same again after they were imported elsewhere, in however many pieces and however often", async () => {
    const seen = new Set<string>();
    const cases = fc.record({
      talks: fc.array(talk, { minLength: 1, maxLength: 2 }),
      size: fc.integer({ min: 1, max: 8 }),
      again: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ talks, size, again }) => {
        const lines = await begun(talks).export();
        const other = new SmallServer();
        for (const item of await itemsOf(lines, size)) {
          for (let times = again ? 2 : 1; times > 0; times--) expect(await other.import(item)).toEqual([]);
        }
        expect(await other.export()).toEqual(lines);
        for (const line of lines) for (const name of Object.keys(line)) seen.add(name);
      }),
      { numRuns: 150, seed: 11 },
    );
    const names = ["rating", "reason", "agent", "note", "whisper", "replyTo", "editedAt", "deletedAt", "reactions"];
    expect(names.filter((name) => !seen.has(name))).toEqual([]);
  });
});
