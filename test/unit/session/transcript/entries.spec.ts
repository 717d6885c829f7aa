import type { Audience, EventData, EventType, StoredEvent } from "../../../../actors/conversation/conversation.events";
import { type Entry, namedIn, toEntries } from "../../../../services/session/transcript/entries";

const NAMES: Readonly<Record<string, string>> = { carl: "Carl", ada: "Ada", sue: "Sue", system: "Parley" };
const START = Date.UTC(2026, 0, 5, 10);

/** The events of a session, numbered; `by` and audience are carl's and everybody's unless said. */
class Log {
  readonly events: StoredEvent[] = [];

  add<T extends EventType>(type: T, data: EventData[T], by = "carl", audience: Audience = "all"): this {
    const seq = this.events.length + 1;
    const about = "seq" in data ? { about: `c/${data.seq}` } : {};
    this.events.push({
      ...{
        _id: `e${seq}`,
        conversationId: "c",
        seq,
        prevSeq: { all: seq - 1, staff: seq - 1 },
        type,
        data,
        by,
        audience,
      },
      ...{ at: START + seq * 1_000, commandId: `${seq}`, request: "", incarnation: "", flush: 0, ...about },
    });
    return this;
  }

  as(audience: Audience): Entry[] {
    const changes = this.events.filter(({ about }) => about !== undefined);
    return toEntries(this.events, changes, { audience, customerId: "carl", nameOf: (id) => NAMES[id] ?? "?" });
  }
}

const texts = (entries: readonly Entry[]): Array<string | undefined> => entries.map(({ text }) => text);

describe("the entries of a transcript", () => {
  const log = new Log()
    .add("session.opened", { topic: "loan", urgency: "normal", customerId: "carl" })
    .add("message.created", { text: "Helo" })
    .add("session.assigned", { agentId: "ada", via: "claim", reason: "mine" }, "ada")
    .add("message.created", { text: "He is late again" }, "ada", "staff")
    .add("message.created", { text: "Offer him ten", whisper: true }, "sue", "staff")
    .add("message.edited", { seq: 2, text: "Hello" })
    .add("message.edited", { seq: 4, text: "He is late" }, "ada", "staff")
    .add("message.created", { text: "Secret", attachments: [{ url: "https://example.org/a" }] })
    .add("message.deleted", { seq: 8 })
    .add("reaction.added", { seq: 2, emoji: "+1" }, "ada")
    .add("session.transferred", { from: "ada", agentId: "sue", note: "difficult" }, "ada")
    .add("session.closed", { reason: "gave up on him" }, "sue");

  it("apply edits, and show that something was deleted but not what", () => {
    const entries = log.as("all");
    expect(entries.find(({ seq }) => seq === 2)).toMatchObject({ text: "Hello", editedAt: "2026-01-05T10:00:06.000Z" });
    const deleted = entries.find(({ seq }) => seq === 8);
    expect(deleted).toMatchObject({ kind: "message", deletedAt: "2026-01-05T10:00:09.000Z" });
    expect(deleted).not.toHaveProperty("attachments");
    expect(JSON.stringify(entries)).not.toContain("Secret");
  });

  it("name everybody, and tell customer, agent and system apart", () => {
    const roles = new Log()
      .add("session.opened", { topic: "loan", urgency: "normal", customerId: "carl" })
      .add("message.created", { text: "Hi" }, "ada")
      .add("session.closed", { reason: "no-show" }, "system")
      .as("all");
    expect(roles.map(({ name, role }) => `${role} ${name}`)).toEqual(["customer Carl", "agent Ada", "system Parley"]);
    expect([...namedIn(log.events)].sort()).toEqual(["ada", "carl", "sue"]);
  });

  it("show notes and whispers, reasons included, to those who serve the session", () => {
    const entries = log.as("staff");
    expect(entries.map((entry) => (entry.kind === "message" ? entry.internal : undefined)).filter(Boolean)).toEqual([
      "note",
      "whisper",
    ]);
    expect(texts(entries)).toContain("He is late");
    expect(texts(entries)).toContain("handed the session on to Sue: difficult");
    expect(texts(entries)).toContain("closed the session: gave up on him");
  });

  it("never show a customer a note, a whisper or a reason", () => {
    expect(texts(log.as("all"))).toEqual([
      "opened the session, topic loan",
      "Hello",
      "Ada has the session",
      undefined,
      "handed the session on to Sue",
      "closed the session",
    ]);
    expect(JSON.stringify(log.as("all"))).not.toMatch(/late|ten|difficult|gave up|mine/);
  });
});
