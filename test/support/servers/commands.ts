import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The file of a program in PATH, or undefined. */
export function inPath(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/**
 * Runs a program to its end.
 * @throws Error with the end of what it wrote
 */
export async function runCommand(program: string, args: readonly string[], options: CommandOptions): Promise<void> {
  try {
    await run(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs,
      maxBuffer: 64 * 1_024 * 1_024,
    });
  } catch (error) {
    const { stdout = "", stderr = "", killed } = error as { stdout?: string; stderr?: string; killed?: boolean };
    const end = killed === true ? `ended after ${options.timeoutMs} ms` : "failed";
    throw new Error(`${program} ${args.join(" ")} ${end}\n${`${stdout}${stderr}`.slice(-2_000)}`, { cause: error });
  }
}
