import fc from "fast-check";
import type { SessionStatus } from "../../../actors/conversation/conversation.session-state";
import type { Snapshot } from "../../../actors/conversation/conversation.snapshot";
import { ConversationStore } from "../../../actors/conversation/conversation.store";
import { MemoryStore } from "../../../lib/store/memory";
import { countAhead, listWaiting } from "../../../services/session/session-lists";
import { sessionSnapshot } from "../../support/session-state";

interface Given {
  readonly topic: string;
  readonly rank: number;
  readonly status: SessionStatus;
  /** An agent has it, if it is closing. */
  readonly has: boolean;
}
const given: fc.Arbitrary<Given> = fc.record({
  topic: fc.constantFrom("loan", "card"),
  rank: fc.integer({ min: -3, max: 3 }),
  status: fc.constantFrom("unassigned", "unassigned", "unassigned", "closing", "assigned", "closed"),
  has: fc.boolean(),
});

const snapshot = ({ topic, rank, status, has }: Given, at: number): Snapshot =>
  sessionSnapshot(`s${at}`, {
    ...{ topic, rank, status },
    ...((status === "assigned" || (status === "closing" && has)) && { agentId: "ada" }),
  });

async function storeWith(all: readonly Given[]): Promise<ConversationStore> {
  const store = new ConversationStore(new MemoryStore());
  await store.conversations.insertMany(all.map(snapshot));
  return store;
}

const waits = ({ status, has }: Given): boolean => status === "unassigned" || (status === "closing" && !has);

/** The ids of those that wait, in order. */
const inOrder = (all: readonly Given[], topic?: string): string[] =>
  all
    .map((one, at) => ({ ...one, id: `s${at}` }))
    .filter((one) => waits(one) && (topic === undefined || one.topic === topic))
    .sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);

describe("the list of who waits", () => {
  it("is in the order of the queue over all its pages, of one topic or of all", async () => {
    const limits = fc.integer({ min: 1, max: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(given), limits, fc.constantFrom(undefined, "loan"), async (all, limit, topic) => {
        const store = await storeWith(all);
        const listed: string[] = [];
        for (let cursor: string | undefined; ;) {
          const page = await listWaiting(store, topic, { cursor, limit });
          expect(page.sessions.length).toBeLessThanOrEqual(limit);
          listed.push(...page.sessions.map(({ id }) => id));
          cursor = page.cursor;
          if (cursor === undefined) break;
        }
        expect(listed).toEqual(inOrder(all, topic));
      }),
    );
  });

  it("tells how many of the topic are before each, counting no further than it must", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(given), fc.integer({ min: 1, max: 9 }), async (all, limit) => {
        const store = await storeWith(all);
        for (const [at, one] of all.entries()) {
          if (!waits(one)) continue;
          const place = inOrder(all, one.topic).indexOf(`s${at}`);
          expect(await countAhead(store, `s${at}`, one, limit)).toBe(Math.min(place, limit));
        }
      }),
    );
  });
});
