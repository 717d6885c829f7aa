import { spawn } from "node:child_process";
import { Guard } from "../../../lib/cluster/guard";

/** Starts three processes that outlive it unless somebody ends them, of which the guard forgets the second. */
const guard = new Guard("KILL");
const start = (): number => {
  const options = { stdio: "ignore", detached: true } as const;
  const pid = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"], options).pid ?? 0;
  guard.watch(pid);
  return pid;
};
const pids = [start(), start(), start()];
guard.forget(pids[1] ?? 0);
process.stdout.write(`${pids.join(" ")}\n`);
setInterval(() => undefined, 1_000);
