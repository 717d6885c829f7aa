import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { ADMIN } from "./api";
import { build } from "./build";

const ROOT = join(__dirname, "../..");

/** A program that was started, and what it says. */
export class Program {
  /** What it has written to stdout and stderr so far. */
  output = "";
  readonly ended: Promise<{ code: number | null; output: string }>;

  constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (data: Buffer) => (this.output += data.toString()));
    this.ended = new Promise((resolve) => child.once("close", (code) => resolve({ code, output: this.output })));
  }
}

/** Starts a program of ours from source, as its npm script does: with `env`, and nothing else of ours, around it. */
export const startProgram = (words: readonly string[], env: Readonly<Record<string, string>>): Program =>
  new Program(
    spawn(process.execPath, ["--require", "tsx/cjs", ...words], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], ...env },
    }),
  );

/** Runs a compiled program of bin/ to its end, in a folder and against the server at `url`, as the administrator does. */
export async function runProgram(name: string, url: string, folder: string, ...words: string[]) {
  const script = join(await build(), `bin/${name}.js`);
  const env = { PATH: process.env["PATH"], ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password };
  return new Program(spawn(process.execPath, [script, ...words, "--url", url], { cwd: folder, env })).ended;
}
