import { execFileSync, spawnSync } from "node:child_process";
import { cpus, getPriority, setPriority, totalmem } from "node:os";

const GIGABYTE = 2 ** 30;
const PRECEDENCE = -15;

/** Words before a command that keep it on one core; none where cores cannot be chosen. */
export function pinned(core: number): string[] {
  return canPin() ? ["taskset", "-c", String(core)] : [];
}

/** Words before a command that let it use every core, whatever this process is kept on. */
export function anywhere(): string[] {
  return canPin() ? ["taskset", "-c", `0-${cpus().length - 1}`] : [];
}

/** Gives this process and those it starts precedence over others of the machine, where that is allowed. */
export function takePrecedence(): void {
  try {
    setPriority(PRECEDENCE);
  } catch {
    return;
  }
}

/** Keeps this process, with all its threads, on one core where that is possible. */
export function pinSelf(core: number): void {
  if (canPin()) spawnSync("taskset", ["-a", "-c", "-p", String(core), String(process.pid)]);
}

export const canPin = (): boolean => cpus().length > 1 && spawnSync("taskset", ["--version"]).status === 0;

/** What a figure must be read with, in one line. */
export function circumstances(command: string): string {
  const cores = canPin()
    ? "server on one core, load generator on another"
    : "server and load generator share all cores";
  const model = cpus()[0]?.model.trim() ?? "unknown CPU";
  const memory = `${Math.round(totalmem() / GIGABYTE)} GB`;
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, commit ${commit()}, Node ${process.version}, ${cpus().length} x ${model}, ${memory}, nice ${getPriority()}; ${cores}; \`${command}\``;
}

function commit(): string {
  try {
    const git = (...words: string[]) => execFileSync("git", words, { encoding: "utf8" }).trim();
    const changed = git("status", "--porcelain", "--untracked-files=no") === "" ? "" : " with changes";
    return `${git("rev-parse", "--short", "HEAD")}${changed}`;
  } catch {
    return "unknown";
  }
}
