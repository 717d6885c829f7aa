const STEPS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
] as const;

/** Milliseconds in the largest unit that fits: `3 d`, `2 h`, `5 min`, `12 s`. */
export function span(ms: number): string {
  const [size, unit] = STEPS.find(([step]) => ms >= step) ?? [1_000, "s"];
  return `${Math.floor(ms / size)} ${unit}`;
}
