import type { Clock } from "./actor/ports";
import { inTime, pause } from "./actor/time";
import { messageOf } from "./message-of";

/** What must answer before a process can serve. */
export interface Prerequisite {
  /** What it is and where, such as `NATS at nats.example.org:4222`. */
  readonly name: string;
  /** Resolves after one round trip. What it rejects with is shown: it holds no secret. */
  ask(): Promise<void>;
}

export interface WaitPorts {
  readonly clock: Clock;
  /** False when nobody waits any more. */
  readonly wanted: () => boolean;
  /** There is still no answer: told at once, whenever the reason is another one, and every half minute. */
  readonly onWaiting: (name: string, reason: string) => void;
  readonly onAnswer: (name: string) => void;
}

const PAUSE_MS = 250;
const ASKED_MS = 6_000;
const REPEAT_MS = 30_000;

/** Resolves when each has answered, or nobody waits any more. Never rejects. */
export async function awaitAnswers(prerequisites: readonly Prerequisite[], ports: WaitPorts): Promise<void> {
  await Promise.all(prerequisites.map((prerequisite) => awaitAnswer(prerequisite, ports)));
}

async function awaitAnswer({ name, ask }: Prerequisite, ports: WaitPorts): Promise<void> {
  const { clock, wanted, onWaiting, onAnswer } = ports;
  let told: { readonly reason: string; readonly at: number } | undefined;
  while (wanted()) {
    const reason = await inTime(clock, ASKED_MS, () => ask().then(nothing, messageOf), noAnswer);
    if (reason === undefined) {
      if (told) onAnswer(name);
      return;
    }
    if (reason !== told?.reason || clock.now() - told.at >= REPEAT_MS) {
      told = { reason, at: clock.now() };
      onWaiting(name, reason);
    }
    await pause(clock, PAUSE_MS);
  }
}

const nothing = (): undefined => undefined;
const noAnswer = (): string => "no answer";
