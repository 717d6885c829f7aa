import type { Principal } from "../../services/auth/principal";
import { call } from "../../services/call";
import type { Role } from "../../services/schemas";
import { get, type Login, outcome, type SocketNode, startSocketNode } from "../support/socket-node";
import { rest } from "../support/rest";

const LIMIT = 5;
let node: SocketNode;
beforeAll(async () => {
  node = await startSocketNode({ env: { LIMIT_REPLIES: String(LIMIT) } });
});
afterAll(() => node.stop());

interface Page {
  replies: Array<{ scope: string; shortcut: string; text: string; title?: string }>;
  cursor?: string;
}

const as = ({ id }: Login, role: Role): { meta: { user: Principal } } => ({
  meta: { user: { id, roles: [role], guest: false, family: "test" } },
});
const shortcutsOf = ({ replies }: Page): string[] => replies.map(({ scope, shortcut }) => `${scope}/${shortcut}`);

describe("canned replies", () => {
  it("are the agent's own, or everybody's when a supervisor writes them", async () => {
    const [ada, ben, sue] = [await node.user("agent"), await node.user("agent"), await node.user("supervisor")];
    const [hers, his, boss] = [await node.connect(ada), await node.connect(ben), await node.connect(sue)];
    await get(hers, "replies.put", { scope: "own", shortcut: "hello", text: "Hi" });
    await get(boss, "replies.put", { scope: "shared", shortcut: "Hello", text: "Good day", title: "Greeting" });
    expect(await outcome(his, "replies.put", { scope: "shared", shortcut: "x", text: "x" })).toBe("FORBIDDEN");
    expect(await outcome(his, "replies.delete", { scope: "shared", shortcut: "hello" })).toBe("FORBIDDEN");
    expect(shortcutsOf(await get(hers, "replies.list", { prefix: "HE" }))).toEqual(["own/hello", "shared/Hello"]);
    expect(shortcutsOf(await get(his, "replies.list", {}))).toEqual(["shared/Hello"]);
    await get(boss, "replies.put", { scope: "shared", shortcut: "hello", text: "Hello" });
    const { replies } = await get<Page>(his, "replies.list", { prefix: "hello" });
    expect(replies).toMatchObject([{ shortcut: "hello", text: "Hello", by: sue.id }]);
    expect(replies[0]).not.toHaveProperty("title");
    await get(boss, "replies.delete", { scope: "shared", shortcut: "HELLO" });
    await get(boss, "replies.delete", { scope: "shared", shortcut: "HELLO" });
    expect((await get<Page>(his, "replies.list", {})).replies).toEqual([]);
  });

  it("are never more than the limit, however many are written at once", async () => {
    const ada = await node.user("agent");
    const writes = Array.from({ length: 3 * LIMIT }, (_, n) =>
      call(node.broker, "replies.put", { scope: "own", shortcut: `r${n}`, text: "x" }, as(ada, "agent")).then(
        () => "ok",
        (error: unknown) => (error as { type: string }).type,
      ),
    );
    const outcomes = await Promise.all(writes);
    expect(outcomes.filter((one) => one === "ok")).toHaveLength(LIMIT);
    expect(new Set(outcomes)).toEqual(new Set(["ok", "LIMIT_REACHED"]));
    const { replies } = await call(node.broker, "replies.list", {}, as(ada, "agent"));
    expect(replies).toHaveLength(LIMIT);
    const [first] = replies;
    await call(node.broker, "replies.delete", { scope: "own", shortcut: first?.shortcut ?? "" }, as(ada, "agent"));
    await call(node.broker, "replies.put", { scope: "own", shortcut: "new", text: "x" }, as(ada, "agent"));
  });

  it("come in pages, by shortcut", async () => {
    const ada = await node.user("agent");
    for (const shortcut of ["b", "a", "c"])
      await call(node.broker, "replies.put", { scope: "own", shortcut, text: shortcut }, as(ada, "agent"));
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await call(node.broker, "replies.list", { limit: 1, ...(cursor && { cursor }) }, as(ada, "agent"));
      seen.push(...page.replies.map(({ shortcut }) => shortcut));
      cursor = page.cursor;
      if (cursor === undefined) break;
    }
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("are refused with an unknown variable, which is named, and nothing is stored", async () => {
    const ada = await node.user("agent");
    const answer = await rest(node.url, "PUT", "/replies/own/bad", ada.token, { text: "{{customer.password}}" });
    expect(answer.status).toBe(400);
    const [problem] = answer.error.data?.["fields"] as Array<{ field: string; problem: string }>;
    expect(problem?.field).toBe("text");
    expect(problem?.problem).toContain("{{customer.password}}");
    const list = await rest(node.url, "GET", "/replies?prefix=bad", ada.token);
    expect(list.expect<Page>(200).replies).toEqual([]);
  });

  it("are filled in for a session", async () => {
    const [carl, ada] = [await node.guest("Carl {{agent.name}}"), await node.user("agent")];
    const customer = await node.connect(carl);
    const session = { commandId: crypto.randomUUID(), topic: "loan" };
    const { id } = await get<{ id: string }>(customer, "session.open", session);
    const text =
      "Dear {{customer.name}} ({{customer.firstName}}), {{agent.name}} here: {{session.subject|your question}}";
    (await rest(node.url, "PUT", "/replies/own/dear", ada.token, { text })).expect(200);
    const render = (sessionId: string, shortcut: string) =>
      rest(node.url, "POST", `/replies/own/${shortcut}/render`, ada.token, { sessionId });
    expect((await render(id, "DEAR")).expect(200)).toEqual({
      text: "Dear Carl {{agent.name}} (Carl), Somebody here: your question",
    });
    expect((await render("none", "dear")).error.type).toBe("NOT_FOUND");
    expect((await render(id, "none")).error.type).toBe("NOT_FOUND");
    expect(await outcome(customer, "replies.list", {})).toBe("FORBIDDEN");
  });
});
