import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { MemoryKv } from "../../../lib/kv/memory";
import { Throughput } from "../../../services/session/throughput";
import { VirtualClock } from "../../support/virtual-clock";

const MINUTE = 60_000;
const taken = (topic: string, from?: string): StoredEvent =>
  ({ type: "session.assigned", data: { agentId: "a", via: "claim", from }, session: { topic } }) as StoredEvent;

function desk() {
  const clock = new VirtualClock();
  const kv = new MemoryKv({ clock });
  const nodes = [new Throughput(kv, clock), new Throughput(kv, clock)] as const;
  return { clock, kv, nodes };
}

describe("how fast sessions are taken", () => {
  it("is counted per topic, over all nodes", async () => {
    const { clock, nodes } = desk();
    nodes[0].note([taken("loan"), taken("loan"), taken("other/1")]);
    nodes[1].note([taken("loan")]);
    await clock.advance(3 * MINUTE);
    expect((await nodes[0].of("loan"))?.taken).toBe(3);
    expect((await nodes[1].of("other/1"))?.taken).toBe(1);
    expect(await nodes[1].of("nobody's")).toBeUndefined();
  });

  it("counts from when somebody began, and forgets what was long ago", async () => {
    const { clock, nodes } = desk();
    await clock.advance(60 * MINUTE);
    nodes[0].note([taken("loan")]);
    await clock.advance(3 * MINUTE);
    const { taken: count, overMs = 0 } = (await nodes[0].of("loan")) ?? {};
    expect([count, overMs >= 3 * MINUTE, overMs < 5 * MINUTE]).toEqual([1, true, true]);
    await clock.advance(20 * MINUTE);
    expect(await nodes[0].of("loan")).toBeUndefined();
  });

  it("is not a rate of seconds when the first were taken just now", async () => {
    const { nodes } = desk();
    nodes[0].note([taken("loan"), taken("loan"), taken("loan")]);
    expect((await nodes[0].of("loan"))?.overMs).toBe(2 * MINUTE);
  });

  it("does not count who takes a session from somebody: nobody's wait ended", async () => {
    const { nodes } = desk();
    nodes[0].note([taken("loan", "bob")]);
    expect(await nodes[0].of("loan")).toBeUndefined();
  });

  it("is unknown while the key-value store does not answer, and nobody waits for it", async () => {
    const clock = new VirtualClock();
    const stuck = {
      increment: () => Promise.reject(new Error("away")),
      get: () => new Promise<never>(() => undefined),
    };
    const throughput = new Throughput(stuck, clock);
    throughput.note([taken("loan")]);
    const flow = throughput.of("loan");
    await clock.advance(1_000);
    expect(await flow).toBeUndefined();
  });
});
