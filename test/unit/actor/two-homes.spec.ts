import fc from "fast-check";
import { ERRORS, type ErrorType } from "../../../lib/errors";
import { FakeLog } from "../../support/fake-log";
import { SeededRandom, VirtualClock } from "../../support/virtual-clock";
import { type Asked, type Entry, Rig } from "./rig";

const STREAMS = ["a", "b"];
const CLIENTS = ["ann", "bob", "cid"];

interface Sent {
  readonly stream: string;
  readonly by: string;
  readonly commandId: string;
  ack: Asked | undefined;
}

/**
 * Two nodes that both think they are home, over one log whose operations take random time, are lost before or after
 * they happen, or happen long after they were given up.
 */
class TwoHomes {
  readonly clock = new VirtualClock();
  readonly log = new FakeLog<Entry>();
  readonly random: SeededRandom;
  readonly homes: readonly Rig[];
  readonly sent: Sent[] = [];
  faults = true;

  constructor(seed: number) {
    this.random = new SeededRandom("chance", seed);
    this.homes = ["one", "two"].map(
      (name, i) => new Rig({ name, log: this.log, clock: this.clock, seed: seed + i, maxDocuments: 4 }),
    );
    this.log.around = (_operation, act) => this.operate(act);
  }

  /** One client's next command, repeated at a random home until it is answered for good. */
  async send(by: string, at: number): Promise<void> {
    const stream = STREAMS[this.random.int(STREAMS.length)] ?? "a";
    const action = this.random.float() < 0.1 ? "look" : "put";
    const sent: Sent = { stream, by, commandId: `${by}-${at}`, ack: undefined };
    this.sent.push(sent);
    for (;;) {
      const home = this.homes[this.random.int(2)];
      if (!home) throw new Error("no home");
      const asked = home.send(stream, sent.commandId, { by, action, deadline: this.clock.now() + 400 });
      await asked.done;
      if (asked.answer in ERRORS && ERRORS[asked.answer as ErrorType].retryable) continue;
      sent.ack = asked;
      return;
    }
  }

  private operate<T>(act: () => T): Promise<T> {
    const ms = 1 + this.random.int(20);
    const chance = this.faults ? this.random.float() : 1;
    return new Promise((resolve, reject) => {
      const run = (): void => {
        try {
          resolve(act());
        } catch (error) {
          reject(error as Error);
        }
      };
      if (chance < 0.05) this.clock.setTimeout(() => reject(new Error("lost")), ms);
      else if (chance < 0.15) {
        this.clock.setTimeout(() => reject(new Error("given up")), ms);
        this.clock.setTimeout(run, ms + this.random.int(300));
      } else this.clock.setTimeout(run, ms);
    });
  }
}

async function play(seed: number): Promise<TwoHomes> {
  const world = new TwoHomes(seed);
  let busy = CLIENTS.length;
  for (const by of CLIENTS)
    void (async () => {
      for (let at = 1; at <= 8; at++) await world.send(by, at);
      busy--;
    })();
  for (let i = 0; i < 600 && busy > 0; i++) {
    if (i === 300) world.faults = false;
    await world.clock.advance(100);
  }
  expect(busy).toBe(0);
  await Promise.all(world.homes.map((home) => home.writer.drained()));
  return world;
}

function judge(world: TwoHomes): void {
  const { log, sent } = world;
  for (const stream of STREAMS) {
    const entries = log.of(stream);
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, at) => at + 1));
    expect(new Set(entries.map(({ by, commandId }) => `${by} ${commandId}`)).size).toBe(entries.length);
    for (const by of CLIENTS) {
      const mine = entries.filter((entry) => entry.by === by).map(({ commandId }) => Number(commandId.split("-")[1]));
      expect(mine).toEqual([...mine].sort((a, b) => a - b));
    }
  }
  for (const { stream, by, commandId, ack } of sent) {
    const stored = log.of(stream).find((entry) => entry.by === by && entry.commandId === commandId);
    expect(ack?.answer).toMatch(/^(stored|repeat|noop) \d+$/);
    expect(ack?.event?._id).toBe(stored?._id);
    expect(ack?.event?.seq).toBe(stored?.seq);
  }
  for (const home of world.homes) {
    const numbers = home.flushes.map(({ flush }) => flush);
    expect(numbers).toEqual(numbers.map((_, at) => at + 1));
    const told = home.flushes.flatMap(({ stored }) => stored);
    expect(new Set(told).size).toBe(told.length);
  }
  const told = world.homes.flatMap((home) => home.flushes.flatMap(({ stored }) => stored));
  expect(told.sort()).toEqual(log.documents.map(({ stream, seq, value }) => `${stream}${seq}:${value}`).sort());
}

describe("two homes at once over one log", () => {
  it("store what they acknowledge once, without gaps, in each sender's order, and tell of it once", async () => {
    let fences = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), async (seed) => {
        const world = await play(seed);
        judge(world);
        fences += world.homes.reduce((sum, home) => sum + home.fences, 0);
      }),
      { numRuns: 200 },
    );
    expect(fences).toBeGreaterThan(200);
  }, 60_000);
});
