import fc from "fast-check";
import { type CountedSession, DeskCounters } from "../../../services/supervision/desk-counters";

const STATUSES = ["unassigned", "assigned", "closing", "closed"];

/** What became of a few sessions: of each, in the order of its seqs. */
const histories = fc
  .array(
    fc.record({
      id: fc.constantFrom("a", "b", "c", "d"),
      topic: fc.constantFrom("loan", "card"),
      status: fc.constantFrom(...STATUSES),
      enteredAt: fc.integer({ min: 0, max: 5 }),
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    const seqs = new Map<string, number>();
    return steps.map((step): CountedSession => {
      const seq = (seqs.get(step.id) ?? 0) + 1;
      seqs.set(step.id, seq);
      return { ...step, seq };
    });
  });

/** What the counters should be, counted anew. */
function countedAnew(sessions: readonly CountedSession[]) {
  const last = new Map<string, CountedSession>();
  for (const session of sessions) if (session.seq > (last.get(session.id)?.seq ?? 0)) last.set(session.id, session);
  const open = [...last.values()].filter(({ status }) => status !== "closed");
  return new Map(
    [...new Set(open.map(({ topic }) => topic))].map((topic) => {
      const of = (status: string) => open.filter((each) => each.topic === topic && each.status === status);
      const since = of("unassigned").map(({ enteredAt }) => enteredAt);
      const counts = {
        topic,
        waiting: since.length,
        assigned: of("assigned").length,
        closing: of("closing").length,
        ...(since.length > 0 && { waitingSince: new Date(Math.min(...since)).toISOString() }),
      };
      return [topic, counts];
    }),
  );
}

const asMap = (counts: ReturnType<DeskCounters["all"]>) => new Map(counts.map((each) => [each.topic, each]));

describe("the counters of the desk", () => {
  it("are those of a count, in whatever order and however often events come", () => {
    fc.assert(
      fc.property(histories, fc.infiniteStream(fc.nat()), (history, random) => {
        const told = [...history, ...history.slice(0, 5)]
          .map((session) => ({ session, place: random.next().value as number }))
          .sort((a, b) => a.place - b.place)
          .map(({ session }) => session);
        const counters = new DeskCounters();
        for (const session of told) counters.put(session);
        expect(asMap(counters.all())).toEqual(countedAnew(history));
      }),
    );
  });

  it("name every topic that changed, so that who follows the changes has the same", () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 7 }), (history, every) => {
        const counters = new DeskCounters();
        const followed = new Map<string, unknown>();
        const follow = (): void => {
          for (const counts of counters.takeChanges()) {
            const { topic, waiting, assigned, closing } = counts;
            if (waiting + assigned + closing === 0) followed.delete(topic);
            else followed.set(topic, counts);
          }
        };
        history.forEach((session, at) => {
          counters.put(session);
          if (at % every === 0) follow();
        });
        follow();
        expect(followed).toEqual(asMap(counters.all()));
      }),
    );
  });

  it("forget a session that is not there any more, unless something newer is known of it", () => {
    const session = { id: "a", topic: "loan", status: "unassigned", enteredAt: 1 };
    const counters = new DeskCounters();
    counters.put({ ...session, seq: 5 });
    counters.gone("a", 4);
    expect(counters.all()).toHaveLength(1);
    counters.gone("a", 5);
    counters.put({ ...session, seq: 5 });
    expect(counters.all()).toEqual([]);
    counters.put({ ...session, seq: 6 });
    expect(counters.seqs()).toEqual(new Map([["a", 6]]));
  });
});
