import { simulate } from "./simulation";
void (async () => {
  const args = process.argv.slice(2);
  const value = (name: string, fallback: number): number => {
    const at = args.indexOf(name);
    return at < 0 ? fallback : Number(args[at + 1]);
  };
  const verbose = args.includes("--verbose");
  const one = value("--seed", -1);
  const from = one >= 0 ? one : value("--from", 1);
  const count = one >= 0 ? 1 : value("--seeds", 100);
  const t = performance.now();
  let steps = 0,
    events = 0,
    failed = 0;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await simulate(seed, verbose);
    steps += outcome.steps;
    events += outcome.events;
    if (outcome.failure) {
      failed++;
      console.log(
        `seed ${seed}: ${outcome.failure
          .split("\n")
          .slice(0, verbose ? 8 : 1)
          .join("\n")}`,
      );
      if (verbose) console.log(outcome.history.join("\n"));
    }
    if (one >= 0) console.log(outcome.digest, outcome.steps, outcome.events);
  }
  console.log(
    `${count} seeds, ${failed} failed, ${((performance.now() - t) / count).toFixed(1)} ms/seed, ${Math.round(steps / count)} steps, ${Math.round(events / count)} events`,
  );
})();
