import { runChaos } from "../chaos/chaos";

const KILLS = 30;
const MINUTES = 5;
/** Of sends a second: two cores run the load, nine nodes and three stores. */
const RATE = 60;
/** Far fewer than on a machine of its own. */
const ACKS = 3_000;

describe("a cluster of which anything may be killed at any time", () => {
  it(
    "loses, doubles and reorders nothing in 30 kills under load",
    async () => {
      const report = await runChaos({ seed: 20, kills: KILLS, minutes: MINUTES, rate: RATE });
      expect(report.violations).toEqual([]);
      expect(report.kills).toHaveLength(KILLS);
      expect(report.acks).toBeGreaterThan(ACKS);
    },
    (MINUTES + 4) * 60_000,
  );
});
