import { join } from "node:path";
import { cached, cacheFolder, exclusively } from "./cache";
import { inPath, isExecutable, runCommand } from "./commands";
import { messageOf } from "../../../lib/message-of";

const MINUTE_MS = 60_000;
const INSTALL_TIMEOUT_MS = 10 * MINUTE_MS;

/** How a program is had when it is not in PATH. */
export interface Program {
  readonly name: string;
  /** Its package; absent when Debian's is too old. */
  readonly debian?: string;
  /** What `go install` takes; absent when it is not written in Go. */
  readonly go?: string;
  /** What to tell people on other systems. */
  readonly otherwise: string;
}

export const PROGRAMS = {
  nats: {
    name: "nats-server",
    debian: "nats-server",
    go: "github.com/nats-io/nats-server/v2@v2.15.2",
    otherwise: "brew install nats-server, or a release from https://nats.io/download",
  },
  redis: {
    name: "redis-server",
    debian: "redis-server",
    otherwise: "brew install redis, or the package of your system",
  },
  go: { name: "go", otherwise: "Go 1.24 or later from https://go.dev/dl" },
  javac: { name: "javac", debian: "default-jdk-headless", otherwise: "a JDK, 17 or later, from https://adoptium.net" },
  mvn: { name: "mvn", debian: "maven", otherwise: "Apache Maven from https://maven.apache.org/download.cgi" },
} as const satisfies Record<string, Program>;

/** A server that tests need could not be had; the message says what to install. */
export class MissingProgramError extends Error {
  constructor(program: Program, reasons: readonly string[]) {
    const ways = [
      ...(program.debian === undefined ? [] : [`apt-get install ${program.debian}`]),
      ...(program.go === undefined ? [] : [`go install ${program.go}`]),
      program.otherwise,
    ];
    super(
      [
        `${program.name} is not in PATH and could not be installed.`,
        `Install it: ${ways.join(", or ")}.`,
        ...reasons.map((reason) => `  tried ${reason}`),
      ].join("\n"),
    );
    this.name = "MissingProgramError";
  }
}

/**
 * The file of a program: from PATH, else installed from Debian (as root), else built by `go install`.
 * @throws MissingProgramError
 */
export async function obtain(program: Program): Promise<string> {
  const found = inPath(program.name);
  if (found !== undefined) return found;
  const reasons: string[] = [];
  const { name, debian, go } = program;
  const ways = [
    ...(debian === undefined ? [] : [() => installFromDebian(name, debian)]),
    ...(go === undefined ? [] : [() => goInstall(name, go)]),
  ];
  for (const way of ways) {
    try {
      return await way();
    } catch (error) {
      reasons.push(messageOf(error).trim());
    }
  }
  throw new MissingProgramError(program, reasons);
}

async function installFromDebian(name: string, debian: string): Promise<string> {
  const apt = inPath("apt-get");
  if (apt === undefined) throw new Error("apt-get: it is not in PATH");
  if (process.getuid?.() !== 0) throw new Error("apt-get: it takes root to install");
  return exclusively(join(cacheFolder(), "apt.lock"), async () => {
    const installedMeanwhile = inPath(name);
    if (installedMeanwhile !== undefined) return installedMeanwhile;
    progress(`installing ${debian} with apt-get`);
    const options = { env: { DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: INSTALL_TIMEOUT_MS };
    const install = ["-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", debian];
    // The lists of a fresh image are missing, those of an old one name packages that are gone.
    await runCommand(apt, install, options).catch(async () => {
      await runCommand(apt, ["update"], options);
      await runCommand(apt, install, options);
    });
    const file = inPath(name) ?? ["/usr/sbin", "/usr/bin"].map((folder) => join(folder, name)).find(isExecutable);
    if (file === undefined) throw new Error(`apt-get: ${debian} brought no ${name}`);
    return file;
  });
}

async function goInstall(name: string, path: string): Promise<string> {
  const go = inPath("go");
  if (go === undefined) throw new Error("go install: go is not in PATH");
  const folder = await cached(`${name}-${path.split("@")[1] ?? "latest"}`, async (draft) => {
    progress(`building ${path}`);
    await runCommand(go, ["install", path], { env: { GOBIN: draft }, timeoutMs: INSTALL_TIMEOUT_MS });
  });
  return join(folder, name);
}

/** Said on standard error: standard output belongs to the addresses. */
export const progress = (text: string): void => void process.stderr.write(`servers: ${text}\n`);
