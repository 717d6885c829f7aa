import type { ServiceBroker } from "moleculer";
import { MemoryStore } from "../../lib/store/memory";
import { call } from "../../services/call";
import { topicsOf } from "../../services/topics/topics.directory";
import { ADMINISTRATOR } from "../support/accounts";
import { LocalCluster } from "../support/local-cluster";
import { MortalStore } from "../support/mortal-store";
import { rest } from "../support/rest";
import { get, outcome, type SocketNode, startSocketNode } from "../support/socket-node";
import { until } from "../support/wait";

let node: SocketNode;
let admin: string;
beforeAll(async () => {
  node = await startSocketNode();
  admin = (await node.user("admin")).token;
});
afterAll(() => node.stop());

interface Detail {
  id: string;
  name: string;
  number?: number;
  version: number;
  archived: boolean;
  skills: string[];
  rules: object;
}
interface Listed {
  topics: Array<{ id: string; number?: number; name: string; open: boolean; opensAt?: string; detail?: Detail }>;
}

const asAdmin = (method: string, path: string, body?: object) => rest(node.url, method, path, admin, body);
const put = (id: string, version: number, more: object = {}) =>
  asAdmin("PUT", `/topics/${encodeURIComponent(id)}`, { version, name: id, urgency: "normal", mode: "pull", ...more });
const all = async () => (await asAdmin("GET", "/topics?details=true")).expect<Listed>(200);
const names = ({ topics }: Listed): string[] => topics.map(({ id }) => id);
const fields = (answer: Awaited<ReturnType<typeof put>>) => {
  expect([answer.status, answer.error.type]).toEqual([400, "VALIDATION"]);
  return (answer.error.data?.["fields"] as Array<{ field: string }>).map(({ field }) => field);
};

describe("topics", () => {
  it("of a new server are loan, payment and other, seen by everybody who is logged in", async () => {
    const guest = await node.connect(await node.guest());
    const { topics } = await get<Listed>(guest, "topics.list", {});
    expect(topics.slice(0, 3)).toEqual([
      { id: "loan", number: 1, name: "Loan", open: true, texts: {} },
      { id: "payment", number: 2, name: "Payment", open: true, texts: {} },
      { id: "other", number: 3, name: "Other", open: true, texts: {} },
    ]);
    expect(await outcome(guest, "topics.list", { details: true })).toBe("FORBIDDEN");
  });

  it("are described and described again, each version once", async () => {
    const made = (await put("cards", 0, { number: 20, skills: ["cards"], rules: { attendMs: 60_000 } })).expect<Detail>(
      200,
    );
    expect(made).toMatchObject({ version: 1, archived: false, skills: ["cards"] });
    expect(made.rules).toEqual({
      attendMs: 60_000,
      closingMs: 2_592_000_000,
      noShowMs: 7_776_000_000,
      offline: "keep",
      graceMs: 60_000,
    });
    const again = (await put("cards", 1, { name: "Cards and accounts" })).expect<Detail>(200);
    expect(again).toMatchObject({ name: "Cards and accounts", version: 2, skills: [] });
    expect((await asAdmin("GET", "/topics/cards")).expect(200)).toEqual(again);
    const stale = await put("cards", 1, { name: "Another" });
    expect([stale.status, stale.error]).toMatchObject([409, { type: "VERSION_CONFLICT", data: { version: 2 } }]);
    expect((await asAdmin("GET", "/topics/cards")).expect(200)).toEqual(again);
  });

  it("are written once when the request is repeated", async () => {
    const first = (await put("repeated", 0, { texts: { welcome: "Hello" } })).expect<Detail>(200);
    expect((await put("repeated", 0, { texts: { welcome: "Hello" } })).expect<Detail>(200)).toEqual(first);
    expect((await put("repeated", 0, { texts: { welcome: "Hullo" } })).error.type).toBe("VERSION_CONFLICT");
  });

  it("of many who write the same version, have one author", async () => {
    (await put("contested", 0)).expect(200);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => put("contested", 1, { name: `name ${n}` })));
    const [won, ...others] = answers.filter(({ status }) => status === 200);
    expect(others).toEqual([]);
    const stored = (await asAdmin("GET", "/topics/contested")).expect<Detail>(200);
    expect(stored).toEqual(won?.body);
    expect(new Set(answers.filter((each) => each !== won).map((each) => each.error.type))).toEqual(
      new Set(["VERSION_CONFLICT"]),
    );
  });

  it("keep their numbers for good", async () => {
    (await put("a", 0, { number: 100 })).expect(200);
    expect((await put("b", 0, { number: 100 })).error.type).toBe("NUMBER_TAKEN");
    expect((await asAdmin("GET", "/topics/b")).error.type).toBe("NOT_FOUND");
    (await put("a", 1, { number: 101 })).expect(200);
    expect((await put("b", 0, { number: 100 })).error.type).toBe("NUMBER_TAKEN");
    expect((await put("a", 2, { number: 100 })).expect<Detail>(200).number).toBe(100);
    (await put("b", 0, { number: 102 })).expect(200);
  });

  it("are archived and come back", async () => {
    const ada = await node.connect(await node.user());
    (await put("old", 0)).expect(200);
    expect(names(await get<Listed>(ada, "topics.list", {}))).toContain("old");
    const archived = (await asAdmin("POST", "/topics/old/archive", { version: 1 })).expect<Detail>(200);
    expect(archived).toMatchObject({ archived: true, version: 2 });
    expect((await asAdmin("POST", "/topics/old/archive", { version: 1 })).expect(200)).toEqual(archived);
    expect(names(await get<Listed>(ada, "topics.list", {}))).not.toContain("old");
    expect(names(await all())).toContain("old");
    (await put("old", 2)).expect(200);
    expect(names(await get<Listed>(ada, "topics.list", {}))).toContain("old");
    expect((await asAdmin("POST", "/topics/nothing/archive", { version: 1 })).error.type).toBe("NOT_FOUND");
    expect((await put("nothing", 3)).error.type).toBe("NOT_FOUND");
  });

  it("say when they open", async () => {
    const holidays = Array.from({ length: 3 }, (_, day) =>
      new Date(Date.now() + (day - 1) * 86_400_000).toISOString().slice(0, 10),
    );
    const weekly = [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from: "00:00", to: "24:00" }));
    (await put("closed", 0, { hours: { timeZone: "UTC", weekly, holidays } })).expect(200);
    const topic = (await all()).topics.find(({ id }) => id === "closed");
    expect(topic).toMatchObject({ open: false, opensAt: expect.stringMatching(/T00:00:00.000Z$/) as string });
  });

  it.each<[string, object, string]>([
    ["a time zone that is none", { hours: { timeZone: "Mars/Base", weekly: [], holidays: [] } }, "hours.timeZone"],
    ["a time that is none", { hours: hours("25:00", "26:00") }, "hours"],
    ["an end before its beginning", { hours: hours("10:00", "09:00") }, "hours.weekly.0.to"],
    ["a day that is none", { hours: hours("09:00", "10:00", ["2026-02-30"]) }, "hours.holidays.0"],
    ["an expiry before its warning", { rules: { warnMs: 5_000, expireMs: 5_000 } }, "rules.expireMs"],
    ["an end before the closing", { rules: { noShowMs: 60_000 } }, "rules.noShowMs"],
    ["a negative time", { rules: { attendMs: -1 } }, "rules.attendMs"],
    ["an urgency that is none", { urgency: "extreme" }, "urgency"],
    ["a blank name", { name: "  " }, "name"],
    ["a number that is none", { number: 1.5 }, "number"],
    ["a long text", { texts: { away: "x".repeat(1_001) } }, "texts.away"],
    ["a skill twice", { skills: ["a", "a"] }, "skills"],
  ])("with %s are refused, and nothing is stored", async (_what, more, field) => {
    const before = await all();
    expect(fields(await put("refused", 0, more)).map((each) => each.startsWith(field))).toEqual([true]);
    expect(await all()).toEqual(before);
  });

  it("that were made by one node are kept by the next", async () => {
    const store = new MemoryStore();
    const first = await startSocketNode({ store: new MortalStore(store) });
    const { token } = await first.user("admin");
    const body = { version: 1, name: "Loans", urgency: "low", mode: "push", number: 1 };
    (await rest(first.url, "PUT", "/topics/loan", token, body)).expect(200);
    await first.stop();
    const second = await startSocketNode({ store: new MortalStore(store) });
    const { topics } = await get<Listed>(await second.connect(await second.guest()), "topics.list", {});
    expect(topics.map(({ name }) => name)).toEqual(["Loans", "Payment", "Other"]);
    await second.stop();
  });
});

describe("topics of several nodes", () => {
  let cluster: LocalCluster;
  beforeAll(async () => {
    cluster = await LocalCluster.start({ io: 1, core: 3 });
  });
  afterAll(() => cluster.stop());
  const meta = { user: ADMINISTRATOR };
  const brokers = () => ["core-1", "core-2", "core-3"].map((id) => cluster.node(id).broker);

  it("are made once, and what one node changes all others hear of", async () => {
    const [first] = brokers() as [ServiceBroker];
    const { topics } = await call(first, "topics.list", { details: true }, { meta });
    expect(topics.map(({ id, detail }) => [id, detail?.version])).toEqual([
      ["loan", 1],
      ["payment", 1],
      ["other", 1],
    ]);
    const known = () => Promise.all(brokers().map(async (broker) => (await topicsOf(broker).get("loan")).name));
    expect(await known()).toEqual(["Loan", "Loan", "Loan"]);
    const change = { id: "loan", version: 1, name: "Loans", urgency: "high", mode: "pull" } as const;
    await call(first, "topics.put", change, { meta });
    expect((await topicsOf(first).get("loan")).name).toBe("Loans");
    await until("all know it", async () => (await known()).every((name) => name === "Loans"));
    await call(first, "topics.putKeyword", { id: "fraud", words: ["fraud"], urgency: "urgent" }, { meta });
    const rules = () => Promise.all(brokers().map(async (broker) => (await topicsOf(broker).keywords()).length));
    await until("all know the rule", async () => (await rules()).join() === "1,1,1");
  });
});

describe("keyword rules", () => {
  const rules = async () => (await asAdmin("GET", "/keywords")).expect<{ keywords: unknown[] }>(200).keywords;

  it("are written, overwritten and deleted", async () => {
    (await asAdmin("PUT", "/keywords/fraud", { words: ["fraud"], urgency: "urgent", topicId: "payment" })).expect(200);
    const rule = { words: ["fraud", "stolen card"], headStartMs: 60_000 };
    (await asAdmin("PUT", "/keywords/fraud", rule)).expect(200);
    expect(await rules()).toEqual([{ id: "fraud", ...rule }]);
    (await asAdmin("DELETE", "/keywords/fraud")).expect(204);
    (await asAdmin("DELETE", "/keywords/fraud")).expect(204);
    expect(await rules()).toEqual([]);
  });

  it.each<[string, object, string]>([
    ["nothing to find", { words: ["!?"], urgency: "high" }, "words.0"],
    ["no effect", { words: ["a"] }, "urgency"],
    ["two effects", { words: ["a"], urgency: "high", headStartMs: 5_000 }, "urgency"],
    ["no words", { words: [], urgency: "high" }, "words"],
  ])("with %s are refused", async (_what, body, field) => {
    expect(fields(await asAdmin("PUT", "/keywords/bad", body))).toEqual([field]);
    expect(await rules()).toEqual([]);
  });
});

describe("a customer's tier", () => {
  it("is set by administrators", async () => {
    const { id } = await node.user();
    expect((await asAdmin("PUT", `/users/${id}/tier`, { tier: "gold" })).expect(200)).toMatchObject({
      id,
      tier: "gold",
    });
    expect((await asAdmin("PUT", `/users/${id}/tier`, { tier: "platinum" })).error.type).toBe("VALIDATION");
    expect((await asAdmin("PUT", "/users/nobody/tier", { tier: "gold" })).error.type).toBe("NOT_FOUND");
  });
});

function hours(from: string, to: string, holidays: string[] = []) {
  return { timeZone: "Europe/Berlin", weekly: [{ day: 1, from, to }], holidays };
}
