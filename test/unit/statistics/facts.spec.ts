import fc from "fast-check";
import { ConversationStore } from "../../../actors/conversation/conversation.store";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { MemoryStore } from "../../../lib/store/memory";
import { FactsStore } from "../../../services/statistics/facts.store";
import { bringUp, type FoldPorts, makeAfresh } from "../../../services/statistics/folding";
import { documentOf } from "../../../services/statistics/measures";
import { factsOf, type SessionFacts } from "../../../services/statistics/session-facts";
import { wanted } from "../../../services/statistics/statistics.publisher";
import { logs, SESSION } from "./logs";

const always = () => undefined;

/** A log and the facts of it, in one store. */
function world(log: readonly StoredEvent[], through = log.length) {
  const store = new MemoryStore();
  const conversations = new ConversationStore(store);
  const facts = new FactsStore(store);
  const ports: FoldPorts = { log: conversations, facts, topics: () => Promise.resolve([]) };
  const write = (from: number, to: number) => conversations.insert(log.slice(from, to).map(keyless));
  return { ports, facts, write, ready: write(0, through) };
}

/** What is unique in the world of a log is so in one store only once. */
const keyless = ({ key: _key, endsOpen: _open, endsSlot: _slot, ...event }: StoredEvent): StoredEvent => event;

describe("the facts of sessions", () => {
  it("follow the log in whatever parts it is told of, late, twice or not at all", async () => {
    await fc.assert(
      fc.asyncProperty(logs, fc.array(fc.nat(60), { maxLength: 8 }), async (log, told) => {
        const { ports, facts, write, ready } = world(log, 1);
        await ready;
        let written = 1;
        for (const seq of told) {
          const to = Math.min(log.length, Math.max(written, seq));
          await write(written, to);
          written = to;
          await bringUp(ports, SESSION, Math.min(seq, written));
        }
        await write(written, log.length);
        await bringUp(ports, SESSION);
        expect((await facts.get(SESSION))?.facts).toEqual(factsOf(log));
        expect((await facts.get(SESSION))?.seq).toBe(log.length);
      }),
      { numRuns: 50 },
    );
  });

  it("are asked for again while the log cannot be read as far as is known", async () => {
    const { ports, ready } = world(fc.sample(logs, { numRuns: 1, seed: 3 })[0] ?? [], 1);
    await ready;
    await expect(bringUp(ports, SESSION, 2)).rejects.toMatchObject({ type: "UNAVAILABLE" });
    await expect(bringUp(ports, "nowhere", 1)).rejects.toMatchObject({ type: "UNAVAILABLE" });
  });

  it("end where the log that can be read has a hole", async () => {
    const [log = []] = fc.sample(logs, { numRuns: 1, seed: 3 });
    const { ports, facts, write, ready } = world(log, 2);
    await ready;
    await write(3, log.length);
    await bringUp(ports, SESSION, 2);
    expect(await facts.get(SESSION)).toMatchObject({ seq: 2, facts: factsOf(log.slice(0, 2)) });
    await expect(bringUp(ports, SESSION, 3)).rejects.toMatchObject({ type: "UNAVAILABLE" });
  });

  it("of a conversation without a session are none", async () => {
    const created = { _id: "e", conversationId: "g", seq: 1, type: "conversation.created", data: { members: [] } };
    const { ports, facts, ready } = world([{ ...created, by: "a", commandId: "c" } as unknown as StoredEvent]);
    await ready;
    await bringUp(ports, "g", 1);
    expect(await makeAfresh(ports, "g")).toBeUndefined();
    expect(await facts.get("g")).toBeUndefined();
  });

  it("made afresh replace what is as new, and nothing that is newer", async () => {
    const [log = []] = fc.sample(logs, { numRuns: 1, seed: 3 });
    const { ports, facts, ready } = world(log);
    await ready;
    const right = documentOf(SESSION, log.length, factsOf(log) as SessionFacts, always);
    await facts.put({ ...right, facts: { ...right.facts, dropped: 7 } });
    await makeAfresh(ports, SESSION);
    expect(await facts.get(SESSION)).toEqual(right);
    const newer = { ...right, seq: log.length + 1 };
    await facts.put(newer);
    await makeAfresh(ports, SESSION);
    expect(await facts.get(SESSION)).toEqual(newer);
  });
});

describe("what the statistics are told of", () => {
  it("is each event that changes a session's parts, and the first answer; asked twice it is the same", () => {
    fc.assert(
      fc.property(logs, (log) => {
        const wants = wanted();
        const told = log.filter((event) => {
          const answer = wants(event);
          expect(wants(event)).toBe(answer);
          return answer;
        });
        const through = told.at(-1)?.seq ?? 0;
        const [behind, ahead] = [factsOf(log.slice(0, through)), factsOf(log)];
        const words = (facts: SessionFacts | undefined) => facts?.segments.map(({ said: _said, ...rest }) => rest);
        expect(words(behind)).toEqual(words(ahead));
        expect(behind?.rating).toEqual(ahead?.rating);
        if (ahead?.firstResponse && ahead.segments.at(-1)?.agentId !== undefined)
          expect(behind?.firstResponse).toEqual(ahead.firstResponse);
      }),
      { numRuns: 300 },
    );
  });

  it("is one message at most after each change", () => {
    fc.assert(
      fc.property(logs, (log) => {
        const told = log.filter(wanted());
        const messages = told.filter(({ type }) => type === "message.created");
        expect(messages.length).toBeLessThanOrEqual(told.length - messages.length);
      }),
    );
  });
});
