import { setTimeout as pause } from "node:timers/promises";
import { Counters } from "../chaos/counters";
import { Load } from "../chaos/load";
import { Stage } from "../chaos/stage";
import { type Finding, verdict } from "../chaos/verdict";
import type { ClusterNode } from "../support/cluster-node";
import { until } from "../support/wait";

/** Of sends a second; the machine runs all of the cluster and the load. */
const RATE = 40;
const FENCE_HITS = "parley_fence_hits_total";
/** Within this nobody waits for a core node any more that was killed. */
const DETECTED_MS = 5_000;
const STOPPED_MS = 40_000;
const STEADY_MS = 6_000;

/** Of a hundred commands so many may have been told to come again: a store on a busy machine is slow at times. */
const REPEATED = 0.01;

describe("a cluster under load", () => {
  let stage: Stage;
  let load: Load;

  beforeAll(async () => {
    stage = await Stage.start({ cuttable: ["core-3"], env: { DRAIN_SECONDS: "3" } });
  }, 120_000);
  beforeEach(async () => {
    load = await Load.prepare({ server: stage.cluster, rate: RATE, directs: 10, groups: 2, desks: 3 });
    load.start();
    await pause(2_000);
  });
  afterEach(() => load.close());
  afterAll(() => stage.stop());

  const node = (id: string): ClusterNode => stage.cluster.node(id);
  /** Attempts that clients had to make again, but for the agent who lost a race. */
  const repeated = () => Object.entries(load.failures).filter(([name]) => !name.endsWith("SESSION_TAKEN"));
  const repeats = (): number => repeated().reduce((sum, [, { count }]) => sum + count, 0);
  const judged = async (): Promise<Finding[]> => {
    await load.stop();
    return verdict(load, stage.mongoUri);
  };

  it("hides the death of a core node from its clients: nothing fails, and nobody waits longer than five seconds", async () => {
    const waits: number[] = [];
    for (const core of stage.cluster.of("core").slice(0, 2)) {
      const killedAt = performance.now();
      await core.kill("SIGKILL");
      await pause(STEADY_MS);
      const backAt = performance.now();
      await core.start();
      await pause(STEADY_MS);
      waits.push(load.acks.longestWait(killedAt, backAt));
    }
    expect(await judged()).toEqual([]);
    expect(repeated().filter(([name]) => name.endsWith("NO_ANSWER"))).toEqual([]);
    expect(repeats() / load.acks.count).toBeLessThan(REPEATED);
    expect(Math.max(...waits)).toBeLessThan(DETECTED_MS);
  }, 180_000);

  it("keeps its promise while two nodes take themselves for one conversation's home", async () => {
    const counters = new Counters(stage.cluster.of("core"), [FENCE_HITS]).start();
    const stopped = node("core-1");
    const broker = stage.brokerOf("core-3");
    const begunAt = performance.now();
    stopped.suspend();
    await pause(4_000);
    // What it was asked arrives when others have taken over.
    for (let n = 0; n < 3; n++) {
      broker.freeze();
      await pause(4_500);
      broker.resume();
      await pause(2_500);
    }
    broker.cut();
    await pause(8_000);
    broker.resume();
    await pause(STOPPED_MS - (performance.now() - begunAt));
    stopped.resume();
    await pause(5_000);
    await until("all core nodes run", async () => {
      for (const core of stage.cluster.of("core")) if (!core.running) await core.start();
      return true;
    });
    await counters.stop();
    expect(await judged()).toEqual([]);
    expect(counters.total(FENCE_HITS)).toBeGreaterThan(0);
  }, 180_000);

  it("loses nothing, and fails nothing that is repeated, while every process is stopped in order and started again", async () => {
    for (const each of stage.cluster.nodes) {
      await each.restart("SIGTERM");
      await pause(1_000);
    }
    const told = load.clients.flatMap(({ heard }) => heard.filter(({ name }) => name === "drain"));
    const delays = told.map(({ data }) => (data as { reconnectInMs: number }).reconnectInMs);
    expect(await judged()).toEqual([]);
    // Two io nodes tell each of their clients a delay of its own.
    expect(new Set(delays).size).toBeGreaterThanOrEqual(delays.length / 2);
    expect(delays.length).toBeGreaterThan(0);
  }, 240_000);
});
