import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExportRecord } from "../../services/bulk/bulk.contract";
import { ADMIN } from "../support/api";
import { type Program, startProgram } from "../support/program";
import { type Answer } from "../support/rest";
import { startServer, type TestServer } from "../support/server";
import { until } from "../support/wait";

jest.setTimeout(60_000);

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parley-bulk-"));
  server = await startServer();
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
}, 30_000);

/** One of the programs against a server, as an operator runs it. */
const start = (program: "import" | "export", target: TestServer, ...words: string[]): Program =>
  startProgram([`bin/${program}.ts`, ...words, "--url", target.url], {
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
  });

const run = (...given: Parameters<typeof start>) => start(...given).ended;

async function exported(target: TestServer): Promise<ExportRecord[]> {
  const file = join(folder, `${crypto.randomUUID()}.jsonl`);
  expect(await run("export", target, file)).toMatchObject({ code: 0 });
  return linesOf(file);
}

const linesOf = (file: string): ExportRecord[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ExportRecord);

function write(name: string, records: readonly object[]): string {
  const file = join(folder, name);
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  return file;
}

const bySource = (records: readonly ExportRecord[], source: string): ExportRecord[] => {
  const ids = new Set(records.flatMap((one) => (one.type === "conversation" && one.source === source ? [one.id] : [])));
  return records.filter((one) => ids.has(one.type === "conversation" ? one.id : one.conversation));
};

const at = (second: number): string => new Date(Date.UTC(2024, 0, 1, 0, 0, second)).toISOString();

/** Conversations of a source, as an export would write them. */
const talks = (source: string, count: number): ExportRecord[] =>
  Array.from({ length: count }, (_, n): ExportRecord[] => {
    const id = `${source}-${String(n).padStart(4, "0")}`;
    const message = (k: number, by: string, text: string): ExportRecord => ({
      ...{ type: "message", conversation: id, id: `${id}/${k}`, at: at(n + k), by, text },
    });
    const conversation: ExportRecord = {
      ...{ type: "conversation", source, id, openedAt: at(n), closedAt: at(n + 9), status: "closed" },
      ...{
        topic: "loan",
        urgency: "high",
        subject: "Old",
        reason: "done",
        customer: { id: `c${n}`, name: `Carl ${n}` },
      },
      ...{ agents: [{ id: "ada", name: "Ada" }], agent: "ada" },
    };
    const note: ExportRecord = { ...message(3, "ada", "He is late"), note: true } as ExportRecord;
    return [conversation, message(1, `c${n}`, "Hello"), message(2, "ada", "Hi"), note];
  }).flat();

const sorted = (records: readonly ExportRecord[]): ExportRecord[] => {
  const idOf = (one: ExportRecord): string => (one.type === "conversation" ? one.id : `${one.conversation}/${one.at}`);
  return [...records].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
};

describe("importing and exporting", () => {
  it("CSV makes closed sessions, classified by what was said, once however often it is imported", async () => {
    const file = join(folder, "message_data.csv");
    const rows = [
      "208,2017-02-01 19:29:05,I have paid. When do I get my LOAN?",
      "218,2017-02-01 16:08:19,My payment is late",
      "208,2017-02-01 18:00:00,Hello",
      '444,2017-02-01 16:08:19,"Quotes ""and"", commas"',
      "445,someday,No time",
    ];
    writeFileSync(file, `User ID,Timestamp (UTC),Message Body\n${rows.join("\n")}\n`);
    expect(await run("import", server, file)).toMatchObject({ code: 3 });
    expect(readFileSync(`${file}.refused.csv`, "utf8")).toMatch(/^line,column,reason\n6,Timestamp \(UTC\),/);
    const first = bySource(await exported(server), "csv");
    expect(
      first
        .flatMap((one) => (one.type === "conversation" ? [[one.id, one.topic, one.status, one.openedAt]] : []))
        .sort(),
    ).toEqual([
      ["208", "loan", "closed", "2017-02-01T18:00:00.000Z"],
      ["218", "payment", "closed", "2017-02-01T16:08:19.000Z"],
      ["444", "other", "closed", "2017-02-01T16:08:19.000Z"],
    ]);
    const again = await run("import", server, file);
    expect(again.output).toContain("3 conversations were imported before");
    rmSync(`${file}.imported`);
    expect((await run("import", server, file)).output).toContain("4 messages of 3 conversations imported");
    expect(bySource(await exported(server), "csv")).toEqual(first);
  });

  it("CSV that was exported is imported into the same conversations", async () => {
    const before = bySource(await exported(server), "csv");
    const file = join(folder, "again.csv");
    expect(await run("export", server, file)).toMatchObject({ code: 0 });
    expect(await run("import", server, file)).toMatchObject({ code: 0 });
    expect(bySource(await exported(server), "csv")).toEqual(before);
  });

  it("goes on where it was killed, and what comes out is what went in", async () => {
    const records = talks("desk", 400);
    const file = write("desk.jsonl", records);
    const { child, ended } = start("import", server, file);
    const journal = `${file}.imported`;
    const done = (): number => (existsSync(journal) ? readFileSync(journal, "utf8").split("\n").length - 2 : 0);
    await until("a part is imported", () => done() > 20, 30_000);
    child.kill("SIGKILL");
    await ended;
    expect(done()).toBeLessThan(400);
    expect(await run("import", server, file)).toMatchObject({ code: 0 });
    expect(sorted(bySource(await exported(server), "desk"))).toEqual(sorted(records));
  });

  it("has what people did to messages, and their rating, also on the next server", async () => {
    const [carl, ada, sue] = await Promise.all([server.guest("Carl"), server.user("agent"), server.user("supervisor")]);
    const commandId = (): string => crypto.randomUUID();
    const post = async (who: { token: string }, path: string, body: object = {}) =>
      server.rest("POST", path, who.token, { commandId: commandId(), ...body });
    const opened = await post(carl, "/sessions", { topic: "loan", text: "Hello" });
    const { id } = opened.expect<{ id: string }>(201);
    const messages = `/conversations/${id}/messages`;
    (await post(ada, `/sessions/${id}/claim`)).expect(200);
    (await post(sue, `/conversations/${id}/join`)).expect(200);
    const say = async (who: { token: string }, text: string, more: object = {}): Promise<number> =>
      (await post(who, messages, { text, ...more })).expect<{ seq: number }>(201).seq;
    const question = await say(carl, "When?");
    const answer = await say(ada, "Tomorow", { replyTo: question });
    const edit = { commandId: commandId(), text: "Tomorrow" };
    (await server.rest("PUT", `${messages}/${answer}`, ada.token, edit)).expect(200);
    (await post(carl, `${messages}/${answer}/reactions`, { emoji: "+1", on: true })).expect(200);
    await say(sue, "Be kind", { audience: "staff", whisper: true });
    const slip = await say(carl, "My password");
    await say(ada, "Please remove that", { replyTo: slip });
    const key = { "idempotency-key": commandId() };
    (await server.rest("DELETE", `${messages}/${slip}`, carl.token, undefined, key)).expect(200);
    (await post(ada, `/sessions/${id}/close`, { reason: "solved" })).expect(200);
    (await post(carl, `/sessions/${id}/rate`, { score: 5, comment: "Quick" })).expect(200);

    const isOf = (one: ExportRecord): boolean => (one.type === "conversation" ? one.id : one.conversation) === id;
    const lines = (await exported(server)).filter(isOf);
    const time = expect.any(String) as string;
    const [conversation, , asked, told, whispered, removed, last] = lines;
    expect(conversation).toMatchObject({ reason: "solved", rating: { score: 5, comment: "Quick", at: time } });
    expect(told).toMatchObject({ text: "Tomorrow", replyTo: asked && "by" in asked && asked.id, editedAt: time });
    expect(told).toMatchObject({ reactions: [{ emoji: "+1", by: carl.id, at: time }] });
    expect(whispered).toMatchObject({ text: "Be kind", note: true, whisper: true });
    expect(removed).toEqual({
      ...{ type: "message", conversation: id, id: time, at: time, by: carl.id },
      deletedAt: time,
    });
    expect(last).toMatchObject({ replyTo: removed && "by" in removed && removed.id });

    const file = write("people.jsonl", lines);
    const other = await startServer();
    try {
      expect(await run("import", other, file)).toMatchObject({ code: 0 });
      expect(await exported(other)).toEqual(lines);
      rmSync(`${file}.imported`);
      expect(await run("import", other, file)).toMatchObject({ code: 0 });
      expect(await exported(other)).toEqual(lines);
      const session = await other.rest("GET", `/sessions/${id}`, await other.adminToken());
      expect(session.expect(200)).toMatchObject({ status: "closed", closeReason: "solved", rating: { score: 5 } });
    } finally {
      await other.stop();
    }
  });

  it("survives the server's death, and another server gives out the same", async () => {
    const everything = await exported(server);
    const file = write("everything.jsonl", everything);
    const other = await startServer();
    try {
      const { ended } = start("import", other, file);
      await until("a part is imported", () => existsSync(`${file}.imported`), 30_000);
      await other.kill("SIGKILL");
      await other.start();
      expect(await ended).toEqual({ code: 0, output: expect.stringContaining("imported") as string });
      expect(sorted(await exported(other))).toEqual(sorted(everything));
    } finally {
      await other.stop();
    }
  });

  it("reads everything and imports nothing in a dry run", async () => {
    const file = write("dry.jsonl", talks("dry", 3));
    const { code, output } = await run("import", server, file, "--dry-run");
    expect([code, output]).toEqual([0, expect.stringContaining("9 messages of 3 conversations can be read")]);
    expect(bySource(await exported(server), "dry")).toEqual([]);
  });

  const post = async (items: readonly object[]): Promise<Answer> =>
    server.rest("POST", "/import/conversations", await server.adminToken(), { items });
  const item = (id: string, more: object = {}, messages: readonly object[] = []) => ({
    conversation: { source: "old", id, openedAt: at(0), customer: { id: "carl", name: "Carl" }, ...more },
    ...{ messages, last: true },
  });

  interface Results {
    results: Array<{ conversationId: string; stored: number; refused: Array<{ message?: number; field: string }> }>;
  }

  it("puts a conversation that is open into the queue, where nobody has another in its topic", async () => {
    const open = { status: "open", topic: "loan" };
    const hello = { id: "1", at: at(1), by: "carl", text: "Hello" };
    const [first] = (await post([item("open-1", open, [hello])])).expect<Results>(200).results;
    const [second] = (await post([item("open-2", open)])).expect<Results>(200).results;
    expect([first?.refused, second?.refused.map(({ field }) => field)]).toEqual([[], ["status"]]);
    const agent = await server.user("agent");
    const session = await server.rest("GET", `/sessions/${first?.conversationId}`, agent.token);
    expect(session.expect(200)).toMatchObject({ status: "unassigned", openedAt: at(0) });
    const claim = { commandId: crypto.randomUUID() };
    (await server.rest("POST", `/sessions/${first?.conversationId}/claim`, agent.token, claim)).expect(200);
    const history = await server.rest("GET", `/conversations/${first?.conversationId}/messages`, agent.token);
    expect(history.expect<{ messages: object[] }>(200).messages).toMatchObject([{ text: "Hello", at: at(1) }]);
    const late = { ...hello, id: "2", text: "Late" };
    const [again] = (await post([item("open-1", open, [hello, late])])).expect<Results>(200).results;
    expect(again).toMatchObject({ stored: 1, refused: [{ message: 1, field: "id" }] });
  });

  it("refuses what cannot have been, names it, and stores the rest", async () => {
    const future = new Date(Date.now() + 86_400_000).toISOString();
    const messages = [
      { id: "1", at: at(1), by: "carl", text: "Good" },
      { id: "2", at: at(1), by: "nobody", text: "x" },
      { id: "3", at: future, by: "carl", text: "x" },
      { id: "4", at: at(1), by: "carl" },
      { id: "5", at: at(1), by: "carl", text: "x", note: true },
      { id: "1", at: at(1), by: "carl", text: "Other content" },
      { id: "6", at: at(1), by: "carl", text: "x", replyTo: "7" },
    ];
    const { results } = (
      await post([
        item("bad", {}, messages),
        item("future", { openedAt: future }),
        item("twice", { agents: [{ id: "carl" }] }),
        item("agent", { agent: "ada" }),
        item("order", { closedAt: at(-1) }),
        item("rating", { rating: { score: 5, at: future } }),
      ])
    ).expect<Results>(200);
    expect(
      results.map(({ stored, refused }) => [stored, refused.map(({ message, field }) => [message, field])]),
    ).toEqual([
      [
        1,
        [
          [1, "by"],
          [2, "at"],
          [3, "text"],
          [4, "note"],
          [5, "id"],
          [6, "replyTo"],
        ],
      ],
      [0, [[undefined, "openedAt"]]],
      [0, [[undefined, "agents"]]],
      [0, [[undefined, "agent"]]],
      [0, [[undefined, "closedAt"]]],
      [0, [[undefined, "rating.at"]]],
    ]);
  });

  it("imports nothing into a conversation that was begun here", async () => {
    const customer = await server.user();
    const opened = await server.rest("POST", "/sessions", customer.token, { commandId: "open", text: "Mine" });
    const { id } = opened.expect<{ id: string }>(201);
    const given = { source: "parley", customer: { id: customer.id } };
    const message = { id: "1", at: at(1), by: customer.id, text: "Never said" };
    const [result] = (await post([item(id, given, [message])])).expect<Results>(200).results;
    expect(result).toMatchObject({ stored: 0, refused: [{ field: "id" }] });
    expect(JSON.stringify(await exported(server))).not.toContain("Never said");
  });
});
