import type { Snapshot } from "../../../actors/conversation/conversation.snapshot";
import { ConversationStore } from "../../../actors/conversation/conversation.store";
import { MemoryStore } from "../../../lib/store/memory";
import { Rebuild } from "../../../services/statistics/rebuild";

const SESSIONS = 250;
const OTHERS = 130;

/** A store of conversations, of which some are sessions; each part has time for one page. */
async function world() {
  const store = new MemoryStore();
  const { conversations } = new ConversationStore(store);
  const snapshot = (n: number) =>
    ({
      _id: `c${String(n).padStart(4, "0")}`,
      ...(n < SESSIONS && { session: { status: n % 2 ? "closed" : "assigned" } }),
    }) as Snapshot;
  await conversations.insertMany(Array.from({ length: SESSIONS + OTHERS }, (_, n) => snapshot(n)));
  const made: string[] = [];
  const late: Snapshot[] = [];
  let [time, broken] = [0, ""];
  const ports = {
    conversations,
    clock: { now: () => 1_000 },
    monotonic: () => (time += 1_500),
    projected: () => conversations.insertMany(late.splice(0)).then(() => undefined),
    make: (id: string) => (id === broken ? Promise.reject(new Error("the store is away")) : void made.push(id)),
  };
  const make = (id: string): Promise<void> => Promise.resolve(ports.make(id)).then(() => undefined);
  const rebuild = () => new Rebuild(store, { ...ports, make });
  return { rebuild, made, late, snapshot, breakAt: (id: string) => void (broken = id) };
}

describe("making all facts afresh", () => {
  it("goes on where it was, whoever asks, and does each session once", async () => {
    const { rebuild, made } = await world();
    const parts = [];
    do parts.push(await rebuild().next(false));
    while (parts.at(-1)?.finished === false);
    expect(parts.map(({ done }) => done)).toEqual([100, 200, 250, 250]);
    expect(parts.every(({ total }) => total === SESSIONS)).toBe(true);
    expect([made.length, new Set(made).size]).toEqual([SESSIONS, SESSIONS]);
  });

  it("does what was opened just before, too", async () => {
    const { rebuild, made, late, snapshot } = await world();
    late.push({ ...snapshot(0), _id: "c-new" });
    expect(await rebuild().next(false)).toMatchObject({ total: SESSIONS + 1 });
    expect(made).toContain("c-new");
  });

  it("does again what an interruption left half done, and nothing before it", async () => {
    const { rebuild, made, breakAt } = await world();
    await rebuild().next(false);
    breakAt("c0150");
    await expect(rebuild().next(false)).rejects.toThrow("the store is away");
    breakAt("");
    let part = await rebuild().next(false);
    while (!part.finished) part = await rebuild().next(false);
    expect(new Set(made).size).toBe(SESSIONS);
    expect(made.filter((id) => id < "c0100")).toHaveLength(100);
    expect(part.done).toBe(SESSIONS);
  });

  it("begins again when it was finished, or when it is told to", async () => {
    const { rebuild, made } = await world();
    await rebuild().next(false);
    expect(await rebuild().next(true)).toMatchObject({ done: 100, finished: false });
    let part = await rebuild().next(false);
    while (!part.finished) part = await rebuild().next(false);
    expect(await rebuild().next(false)).toMatchObject({ done: 100, finished: false });
    expect(made).toHaveLength(100 + SESSIONS + 100);
  });
});
