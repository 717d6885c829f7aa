import { type CallingOptions, type Context, type Middleware, ServiceBroker, type ServiceSchema } from "moleculer";
import { systemClock, systemRandom } from "../../../lib/actor/ports";
import { routingMiddleware } from "../../../lib/middlewares/routing";
import { RemoteDeadlines } from "../../../lib/remote-deadlines";
import { VirtualClock } from "../../support/virtual-clock";

const LEFT_MS = 3_000;
const SKEWS = [0, 12_000, -12_000, 86_400_000];

describe.each(SKEWS)("the deadline of a node whose clock is %i ms off", (offset) => {
  let skew: number;
  let clock: VirtualClock;
  let deadlines: RemoteDeadlines;
  /** What is left, by this node's clock, of a request that was under way for so long. */
  const leftAfter = (underWayMs: number): number => {
    const sentAt = clock.now() - underWayMs + skew;
    return deadlines.here("n1", sentAt + LEFT_MS, LEFT_MS) - clock.now();
  };
  beforeEach(async () => {
    skew = offset;
    clock = new VirtualClock();
    deadlines = new RemoteDeadlines(clock);
    await clock.advance(100_000);
  });

  it("leaves the time that the sender gave", () => {
    expect([leftAfter(0), leftAfter(0)]).toEqual([LEFT_MS, LEFT_MS]);
  });

  it("has passed for what lay about, also after a long silence", async () => {
    leftAfter(2);
    expect(leftAfter(3_002)).toBe(0);
    await clock.advance(60_000);
    expect(leftAfter(5_002)).toBe(-2_000);
    await clock.advance(9_000);
    expect(leftAfter(5_002)).toBe(-2_000);
  });

  it("follows a clock that is set, forwards at once and backwards within two windows", async () => {
    leftAfter(0);
    skew += 60_000;
    expect(leftAfter(0)).toBe(LEFT_MS);
    skew -= 120_000;
    expect(leftAfter(0)).toBeLessThan(0);
    for (let i = 0; i < 21; i++) {
      await clock.advance(1_000);
      leftAfter(0);
    }
    expect(leftAfter(0)).toBe(LEFT_MS);
  });
});

describe("nodes whose clocks differ", () => {
  const started: ServiceBroker[] = [];
  afterEach(async () => void (await Promise.all(started.splice(0).map((broker) => broker.stop()))));

  interface Seen {
    /** What the action had left by the clock of its node, and what its caller had by its own after the answer. */
    readonly there: number;
    readonly here: number;
  }

  /** A broker whose clock is `aheadMs` ahead. */
  async function start(nodeID: string, aheadMs: number): Promise<ServiceBroker> {
    const clock = { ...systemClock, now: () => Date.now() + aheadMs };
    type Ctx = Context<{ nodeID?: string }, { deadline: number }>;
    const left = (ctx: Ctx): number => ctx.meta.deadline - clock.now();
    const ask = async (ctx: Ctx): Promise<Seen> => {
      const { nodeID: to } = ctx.params;
      const there: number = await ctx.call("far.left", {}, to === undefined ? {} : { nodeID: to });
      return { there, here: left(ctx) };
    };
    const broker = new ServiceBroker({
      namespace: "clocks",
      nodeID,
      logger: false,
      transporter: "Fake",
      middlewares: [routingMiddleware({ clock, random: systemRandom, timeoutMs: 5_000 }) as Middleware],
    });
    broker.createService({
      name: nodeID,
      actions: { left: { repeats: "read", handler: left }, ask },
    } as unknown as ServiceSchema);
    started.push(broker);
    await broker.start();
    return broker;
  }

  it.each([12_000, -12_000])("give each other the time they have, one ahead by %i ms", async (aheadMs) => {
    await start("far", aheadMs);
    const near = await start("near", 0);
    await near.waitForServices("far");
    const options = (): CallingOptions => ({ meta: { deadline: Date.now() + 2_000 } });
    for (const params of [{}, { nodeID: "far" }]) {
      const { there, here } = await near.call<Seen, object>("near.ask", params, options());
      for (const left of [there, here]) {
        expect(left).toBeGreaterThan(1_000);
        expect(left).toBeLessThanOrEqual(2_000);
      }
    }
  });
});
