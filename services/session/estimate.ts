import type { Static } from "@sinclair/typebox";
import type { Position } from "../schemas";

/** How fast sessions of a topic are taken: so many in so many milliseconds. */
export interface Flow {
  readonly taken: number;
  readonly overMs: number;
}

export type QueuePosition = Static<typeof Position>;

/** Up to here a customer is told the very position. */
const EXACT = 10;
/** Fewer say nothing about those to come. */
const LEAST_TAKEN = 3;
const MINUTE_S = 60;
/** Waits up to `below` seconds are told in steps of `step`. */
const STEPS = [
  { below: 10 * MINUTE_S, step: MINUTE_S },
  { below: 60 * MINUTE_S, step: 5 * MINUTE_S },
  { below: 240 * MINUTE_S, step: 15 * MINUTE_S },
  { below: Infinity, step: 60 * MINUTE_S },
] as const;
const [, , , LONGEST] = STEPS;

/** The band of a position: itself up to 10, then 11-20, 21-50, 51-100, 101-200, 201-500, ... Pure. */
export function bandOf(position: number): { from: number; to: number } {
  if (position <= EXACT) return { from: position, to: position };
  let last = EXACT;
  for (let size = EXACT; ; size *= 10) {
    for (const factor of [2, 5, 10]) {
      const to = size * factor;
      if (position <= to) return { from: last + 1, to };
      last = to;
    }
  }
}

/**
 * What a customer is told who is at this position, 1 being the next. The wait is that of the band's last place, by how
 * fast sessions are taken now, rounded up; null when too few were taken to tell. Pure.
 */
export function positionOf(position: number, flow: Flow | undefined): QueuePosition {
  const band = bandOf(position);
  const known = flow !== undefined && flow.taken >= LEAST_TAKEN;
  return { ...band, waitSeconds: known ? roundUp((band.to * flow.overMs) / flow.taken / 1_000) : null };
}

function roundUp(seconds: number): number {
  const { step } = STEPS.find(({ below }) => seconds <= below) ?? LONGEST;
  return Math.ceil(seconds / step) * step;
}
