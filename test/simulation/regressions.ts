/**
 * Seeds that broke a promise, with what was wrong. A seed is the same history only as long as nothing changes in what
 * draws from it, so each fault has a test of its own, too, beside the part it was in.
 */
export const REGRESSIONS: ReadonlyArray<{ readonly seed: number; readonly was: string }> = [
  { seed: 1, was: "a stale home answered a sync with less than the client had" },
  { seed: 26, was: "a stale home told a member that the conversation is not theirs" },
  { seed: 840, was: "a socket joined a new conversation by the projections and was never told of it" },
  { seed: 22, was: "a mark that could not be taken away ended a draining node with an unhandled rejection" },
  { seed: 25, was: "a refusal that waited for its state ended a draining node with an unhandled rejection" },
];
