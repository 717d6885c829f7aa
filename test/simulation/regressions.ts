/**
 * Seeds that once broke a promise, with what was wrong. A seed is the same history only as long as nothing changes in
 * what draws from it, so each fault here also has a test of its own beside the part it was in.
 */
export const REGRESSIONS: ReadonlyArray<{ readonly seed: number; readonly was: string }> = [
  { seed: 54, was: "a stale home answered a sync with less than the client had, and told it to load afresh" },
  { seed: 74, was: "a stale home told a member that the conversation is not theirs" },
  { seed: 89, was: "a stale home knew nothing of a conversation, for good" },
  { seed: 97, was: "a socket joined a new conversation by a later look at the projections and was never told of it" },
  { seed: 272, was: "a list was answered before the socket had joined, and lacked what it joined then" },
  { seed: 879, was: "a client took a reset for newer than the events that came after its question" },
];
