import type { Prng } from "./prng";

/** How a history is disturbed; drawn afresh for every seed, so that some histories know few faults and others many. */
export interface Faults {
  /** Shares of store writes that meet with each fate, and of reads that fail. */
  readonly write: {
    readonly lost: number;
    readonly late: number;
    readonly answerLost: number;
    readonly cut: number;
  };
  readonly readFails: number;
  /** Milliseconds from applied to majority-committed. */
  readonly majorityMs: readonly [number, number];
  readonly storeMs: readonly [number, number];
  readonly networkMs: readonly [number, number];
  /** Share of requests to the key-value server without an answer; half of them were done. */
  readonly kvFails: number;
  readonly kvMs: readonly [number, number];
  /** Milliseconds a caller waits for a command. */
  readonly requestMs: number;
  /** Share of retryable errors after which a user loses patience. */
  readonly givesUp: number;
  readonly messageLost: number;
  readonly messageDoubled: number;
  /** Share of calls that go to another core node than the home: nodes see different clusters. */
  readonly misrouted: number;
  /** Mean milliseconds between two faults of a kind; Infinity for never. */
  readonly every: {
    readonly crash: number;
    readonly pause: number;
    readonly partition: number;
    /** One core node and one io node do not hear each other. */
    readonly split: number;
    readonly failOver: number;
    readonly outage: number;
    readonly disconnect: number;
    readonly clockJump: number;
    readonly drain: number;
    readonly kvOutage: number;
    readonly kvLoss: number;
    /** Everything stops at once. */
    readonly blackout: number;
  };
}

const rarely = (random: Prng, most: number): number => (random.chance(0.5) ? 0 : random.logBetween(most / 30, most));
const now = (random: Prng, low: number, high: number): number =>
  random.chance(0.45) ? Infinity : random.logBetween(low, high);

export function drawFaults(random: Prng): Faults {
  return {
    write: {
      lost: rarely(random, 0.3),
      late: rarely(random, 0.3),
      answerLost: rarely(random, 0.3),
      cut: rarely(random, 0.3),
    },
    readFails: rarely(random, 0.3),
    majorityMs: [0.2, random.logBetween(1, 300)],
    storeMs: [0.2, random.logBetween(0.5, 30)],
    networkMs: [0.1, random.logBetween(0.3, 60)],
    kvFails: rarely(random, 0.3),
    kvMs: [0.1, random.logBetween(0.3, 120)],
    requestMs: random.logBetween(1_000, 6_000),
    givesUp: random.between(0, 0.5),
    messageLost: rarely(random, 0.2),
    messageDoubled: rarely(random, 0.2),
    misrouted: rarely(random, 0.5),
    every: {
      crash: now(random, 3_000, 30_000),
      pause: now(random, 3_000, 30_000),
      partition: now(random, 3_000, 30_000),
      split: now(random, 5_000, 30_000),
      failOver: now(random, 3_000, 30_000),
      outage: now(random, 5_000, 30_000),
      disconnect: now(random, 1_000, 20_000),
      clockJump: now(random, 5_000, 30_000),
      drain: now(random, 4_000, 30_000),
      kvOutage: now(random, 5_000, 30_000),
      kvLoss: now(random, 5_000, 30_000),
      blackout: random.chance(0.75) ? Infinity : random.between(8_000, 25_000),
    },
  };
}
