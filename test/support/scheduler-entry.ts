/**
 * A node whose wall clock can be set: SIGUSR2 sets it by an hour, ahead, back, behind, back, and so on.
 */
const HOUR_MS = 3_600_000;
const OFFSETS = [HOUR_MS, 0, -HOUR_MS, 0];

const truth = Date.now.bind(Date);
let set = 0;
let offset = 0;
Date.now = () => truth() + offset;
process.on("SIGUSR2", () => {
  offset = OFFSETS[set++ % OFFSETS.length] ?? 0;
  process.stdout.write(`the clock is ${offset} ms ahead\n`);
});

void import("./publisher-entry").then(() => import("../../bin/parley"));
