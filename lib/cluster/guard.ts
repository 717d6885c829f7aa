import { type ChildProcess, spawn } from "node:child_process";

/** Reads `+pid` and `-pid`; at the end of its input it signals who is left. */
const SCRIPT = `
pids=" "
while read -r word; do
  pid="\${word#?}"
  case "$word" in
    +*) pids="$pids$pid " ;;
    -*) case "$pids" in *" $pid "*) pids="\${pids%% $pid *} \${pids#* $pid }" ;; esac ;;
  esac
done
[ "$pids" = " " ] || kill -"$0" $pids 2>/dev/null
`;

/**
 * Sees to it that child processes end with this one, even when this one is killed: a small shell waits for the end of
 * the pipe that only we hold.
 */
export class Guard {
  private readonly shell: ChildProcess;

  constructor(signal: "TERM" | "KILL") {
    // A group of its own: what interrupts us in the terminal must not end the guard before us.
    this.shell = spawn("sh", ["-c", SCRIPT, signal], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.shell.stdin?.on("error", () => undefined);
    this.shell.unref();
  }

  watch(pid: number): void {
    this.shell.stdin?.write(`+${pid}\n`);
  }

  /** The process has ended: its id may become another's. */
  forget(pid: number): void {
    this.shell.stdin?.write(`-${pid}\n`);
  }

  /** Signals whoever is still watched, and ends. */
  close(): void {
    this.shell.stdin?.end();
  }
}
