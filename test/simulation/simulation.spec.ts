import { BUGS } from "./bugs";
import { REGRESSIONS } from "./regressions";
import { runSeeds } from "./runner";

const MINUTES = 60_000;

describe("the simulated cluster", () => {
  it(
    "keeps every promise in 1,000 histories",
    async () => {
      const { failures, seeds } = await runSeeds({ from: 1, count: 1_000, workers: 2 });
      expect(failures).toEqual([]);
      expect(seeds).toBe(1_000);
    },
    6 * MINUTES,
  );

  it(
    "replays a seed exactly",
    async () => {
      const twice = [0, 1].map(() => runSeeds({ from: 1, count: 20, workers: 1 }));
      const [first, second] = await Promise.all(twice);
      expect(second).toEqual(first);
    },
    MINUTES,
  );

  it.each(REGRESSIONS)(
    "stays right at seed $seed, where $was",
    async ({ seed }) => {
      const { failures } = await runSeeds({ from: seed, count: 1, workers: 1 });
      expect(failures).toEqual([]);
    },
    MINUTES,
  );
});

describe("a planted bug is found", () => {
  it.each(BUGS)(
    "$name",
    async ({ name, within }) => {
      const { failures } = await runSeeds({ from: 1, count: within, workers: 2, bug: name, stopAtFailure: true });
      expect(failures.length).toBeGreaterThan(0);
    },
    3 * MINUTES,
  );
});
