import type { Stopwatch } from "./leases";

/** The system's monotonic clock, for production. It stands still while the machine sleeps. */
export const systemStopwatch: Stopwatch = { now: () => performance.now() };
