import {
  type ClientLog,
  type History,
  type HistoryEvent,
  judge,
  type RULES,
  type SeenEvent,
  type Stay,
} from "../../support/oracle";

const event = (seq: number, by = "ann", commandId = `c${seq}`): HistoryEvent => ({
  seq,
  id: `e${seq}`,
  by,
  commandId,
  content: `text of ${commandId}`,
});

const seen = (...seqs: number[]): SeenEvent[] =>
  seqs.map((seq, at) => ({ seq, prevSeq: seqs[at - 1] ?? 0, id: `e${seq}` }));

const history = (events: HistoryEvent[], members: Record<string, Stay[]> = {}): History => ({
  conversationId: "talk",
  events,
  members: new Map(Object.entries({ ann: [{ from: 1 }], bob: [{ from: 1 }], ...members })),
});

const sent = (...seqs: number[]) =>
  seqs.map((seq) => ({ conversationId: "talk", commandId: `c${seq}`, intent: `text of c${seq}`, seq }));

const client = (log: Partial<ClientLog> & { view?: SeenEvent[] }): ClientLog => ({
  user: log.user ?? "ann",
  sent: log.sent ?? [],
  seen: log.seen ?? new Map([["talk", log.view ?? seen(1, 2, 3)]]),
  ...(log.since ? { since: log.since } : {}),
});

const three = [event(1), event(2), event(3)];
const rules = (logs: ClientLog[], histories: History[]): string[] => [
  ...new Set(judge(logs, histories).map(({ rule }) => rule)),
];

describe("the oracle", () => {
  it("finds nothing in a run that kept every promise", () => {
    const logs = [client({ sent: sent(1, 2, 3) }), client({ user: "bob" })];
    expect(judge(logs, [history(three)])).toEqual([]);
  });

  it.each<[keyof typeof RULES, string, ClientLog[], History[]]>([
    ["A", "an acknowledged command that is missing", [client({ sent: sent(1, 4) })], [history(three)]],
    [
      "A",
      "an acknowledged command that was stored elsewhere",
      [client({ sent: [{ conversationId: "talk", commandId: "c2", seq: 3 }] })],
      [history(three)],
    ],
    [
      "A",
      "an acknowledged command that was stored with another content",
      [client({ sent: [{ conversationId: "talk", commandId: "c2", intent: "other", seq: 2 }] })],
      [history(three)],
    ],
    [
      "A",
      "an acknowledged command that was stored twice",
      [client({ sent: sent(1) })],
      [history([event(1), event(2, "ann", "c1"), event(3)])],
    ],
    ["A", "an acknowledged command whose conversation is gone", [client({ sent: sent(1), seen: new Map() })], []],
    ["B", "a gap in the history", [client({ view: seen(1, 3) })], [history([event(1), event(3)])]],
    ["B", "a history that does not begin at 1", [client({ view: seen(2) })], [history([event(2)])]],
    ["C", "an event that a member never saw", [client({ view: seen(1, 2) })], [history(three)]],
    ["C", "an event seen twice", [client({ view: seen(1, 2, 2, 3) })], [history(three)]],
    ["C", "events seen out of order", [client({ view: seen(1, 3, 2) })], [history(three)]],
    [
      "C",
      "an event that names a wrong predecessor",
      [client({ view: [...seen(1, 2), { seq: 3, prevSeq: 1, id: "e3" }] })],
      [history(three)],
    ],
    ["C", "an event that vanished from the history", [client({ view: seen(1, 2, 3, 4) })], [history(three)]],
    [
      "C",
      "an event replaced by another at its seq",
      [client({ view: [...seen(1, 2), { seq: 3, prevSeq: 2, id: "other" }] })],
      [history(three)],
    ],
    ["D", "messages stored out of sending order", [client({ sent: sent(2, 1, 3) })], [history(three)]],
    [
      "E",
      "an unacknowledged command stored twice",
      [client({ sent: [{ conversationId: "talk", commandId: "c1" }] })],
      [history([event(1), event(2, "ann", "c1"), event(3)])],
    ],
    ["F", "an event received by a stranger", [client({ user: "eve", view: seen(1) })], [history(three)]],
    [
      "F",
      "an event received after leaving",
      [client({ user: "bob" })],
      [history(three, { bob: [{ from: 1, to: 2 }] })],
    ],
    [
      "F",
      "a note received by a customer",
      [client({})],
      [history([event(1), { ...event(2), audience: "staff" }, event(3)])],
    ],
    ["F", "an event from a conversation nobody may know", [client({ view: seen(1) })], []],
  ])("%s: finds %s", (rule, _name, logs, histories) => {
    expect(rules(logs, histories)).toEqual([rule]);
  });

  it("names the conversation, the user, the seq and the command", () => {
    const [violation] = judge([client({ sent: sent(4) })], [history(three)]);
    expect(violation).toMatchObject({ rule: "A", conversationId: "talk", user: "ann", seq: 4, commandId: "c4" });
  });

  it("asks a client only for what is visible to it since it followed", () => {
    const noted = [event(1), { ...event(2), audience: "staff" as const }, event(3)];
    const late: SeenEvent[] = [{ seq: 3, prevSeq: 2, id: "e3" }];
    const logs = [
      client({ view: seen(1, 3) }),
      client({ user: "bob", view: late, since: new Map([["talk", 2]]) }),
      client({ user: "sue", view: seen(1, 2, 3) }),
    ];
    expect(judge(logs, [history(noted, { sue: [{ from: 1, staff: true }] })])).toEqual([]);
  });

  it("judges half a million acknowledgements", () => {
    const conversations = Array.from({ length: 500 }, (_, talk) => `talk-${talk}`);
    const numbers = Array.from({ length: 1_000 }, (_, at) => at + 1);
    const logs = conversations.map((conversationId): ClientLog => ({
      user: "ann",
      sent: numbers.map((seq) => ({ conversationId, commandId: `c${seq}`, seq })),
      seen: new Map([[conversationId, seen(...numbers)]]),
    }));
    const events = numbers.map((seq) => event(seq));
    const histories = conversations.map((conversationId) => ({ ...history(events), conversationId }));
    expect(judge(logs, histories)).toEqual([]);
  });
});
