import type { Socket } from "socket.io-client";
import { rest } from "../support/rest";
import { get, type Login, outcome, type SocketNode, startSocketNode } from "../support/socket-node";

let node: SocketNode;
beforeAll(async () => {
  node = await startSocketNode();
});
afterAll(() => node.stop());

const uuid = (): string => crypto.randomUUID();
const path = (id: string, format?: string): string =>
  `/sessions/${id}/transcript${format === undefined ? "" : `?format=${format}`}`;

interface Document {
  session: { id: string; status: string };
  customer: string;
  agent?: string;
  entries: Array<{ kind: string; seq: number; text?: string; name: string; internal?: string }>;
}

async function desk(): Promise<{ carl: Login; ada: Login; customer: Socket; agent: Socket; id: string }> {
  const [carl, ada] = [await node.guest("Carl <b>"), await node.user("agent")];
  const [customer, agent] = [await node.connect(carl), await node.connect(ada)];
  const { id } = await get<{ id: string }>(customer, "session.open", { commandId: uuid(), topic: "loan", text: "Hi" });
  await get(agent, "session.claim", { commandId: uuid(), sessionId: id });
  return { carl, ada, customer, agent, id };
}

const say = (socket: Socket, conversationId: string, text: string, extra: object = {}) =>
  get<{ seq: number }>(socket, "message.send", { commandId: uuid(), conversationId, text, ...extra });

describe("a transcript", () => {
  it("is a file in each of its formats", async () => {
    const { carl, id } = await desk();
    const answers = await Promise.all(
      [undefined, "json", "html", "text"].map((one) => rest(node.url, "GET", path(id, one), carl.token)),
    );
    expect(answers.map(({ headers }) => headers.get("content-type"))).toEqual([
      "application/json; charset=utf-8",
      "application/json; charset=utf-8",
      "text/html; charset=utf-8",
      "text/plain; charset=utf-8",
    ]);
    expect(answers[2]?.headers.get("content-disposition")).toBe('attachment; filename="transcript.html"');
    expect(answers[2]?.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(answers[0]?.expect<Document>(200)).toMatchObject({
      session: { id, status: "assigned" },
      customer: "Carl <b>",
      agent: "Somebody",
      entries: [{ text: "opened the session, topic loan" }, { text: "Hi" }, { text: "Somebody has the session" }],
    });
    expect(answers[2]?.body).toContain("<bdi>Carl &lt;b&gt;</bdi>");
    expect(answers[3]?.body).toMatch(/^\[[\d :-]+ UTC #2\] customer Carl <b>:\n {4}Hi$/m);
    const refused = await rest(node.url, "GET", path(id, "pdf"), carl.token);
    expect(refused.error.type).toBe("VALIDATION");
  });

  it("is for the session's customer and for who serves it, as each may see it", async () => {
    const { carl, ada, agent, id } = await desk();
    await say(agent, id, "Between us", { audience: "staff" });
    const [his, hers] = await Promise.all([carl, ada].map(({ token }) => rest(node.url, "GET", path(id), token)));
    expect(JSON.stringify(his?.expect(200))).not.toContain("Between us");
    expect(hers?.expect<Document>(200).entries.at(-1)).toMatchObject({ text: "Between us", internal: "note" });
    for (const format of ["html", "text"])
      expect((await rest(node.url, "GET", path(id, format), carl.token)).expect(200)).not.toContain("Between us");
    const stranger = await rest(node.url, "GET", path(id), (await node.user("agent")).token);
    const missing = await rest(node.url, "GET", path("none"), carl.token);
    expect([stranger.error.type, missing.error.type]).toEqual(["NOT_FOUND", "NOT_FOUND"]);
  });

  it("of a long session comes in parts, which together are the whole", async () => {
    const { carl, customer, id } = await desk();
    const texts = Array.from({ length: 250 }, (_, n) => `text ${n} ${n % 50 === 0 ? "<".repeat(7_900) : ""}`.trim());
    for (const text of texts) await say(customer, id, text);
    const whole = (await rest(node.url, "GET", path(id), carl.token)).expect<Document>(200);
    expect(whole.entries.slice(3).map(({ text }) => text)).toEqual(texts);
    let document = "";
    let parts = 0;
    for (let cursor: string | undefined; ;) {
      const ask = { sessionId: id, format: "json", ...(cursor !== undefined && { cursor }) };
      const part = await get<{ text: string; cursor?: string }>(customer, "session.transcript", ask);
      document += part.text;
      cursor = part.cursor;
      // What is said meanwhile is not in it.
      if (++parts === 1) await say(customer, id, "late");
      if (cursor === undefined) break;
    }
    expect(parts).toBeGreaterThan(2);
    expect((JSON.parse(document) as Document).entries).toEqual(whole.entries);
    const html = (await rest(node.url, "GET", path(id, "html"), carl.token)).expect<string>(200);
    expect(html.match(/<article /g)).toHaveLength(texts.length + 2);
    expect(html.trimEnd().endsWith("</html>")).toBe(true);
  });

  it("with a cursor that was made up shows nothing more", async () => {
    const { carl, customer, agent, id } = await desk();
    await say(agent, id, "Between us", { audience: "staff" });
    for (const cursor of ["0.999", "x", "-1.5", "3.999999999999999", "1e9.2"]) {
      const part = await get<{ text: string }>(customer, "session.transcript", { sessionId: id, cursor });
      expect(part.text).not.toContain("Between us");
    }
    const stranger = await node.connect(await node.user("agent"));
    expect(await outcome(stranger, "session.transcript", { sessionId: id, cursor: "0.999" })).toBe("NOT_FOUND");
    const answer = await rest(node.url, "GET", `${path(id)}?cursor=2.3`, carl.token);
    expect(answer.expect<Document>(200).entries).toHaveLength(3);
  });
});
