import { spawn } from "node:child_process";
import { extname, join } from "node:path";
import { Guard } from "../../lib/cluster/guard";
import { unusedPort } from "../../lib/cluster/ports";
import { Supervisor } from "../../lib/cluster/supervisor";
import type { Config } from "../../lib/config";
import { FrontDoor } from "../../lib/front-door/front-door";
import { NODE_ROLES, type NodeRole, ROLES, routesOf } from "../../services/roles";
import type { ClusterOptions } from "./options";

const EXTENSION = extname(__filename);
const HOST = "127.0.0.1";
/** Beyond DRAIN_SECONDS and what a process allows itself for its own end. */
const STOP_MARGIN_MS = 12_000;
/** Who takes work in ends first, who does it last. */
const STOP_ORDER: ReadonlyArray<readonly NodeRole[]> = [["gateway", "io"], ["scheduler"], ["core"]];

interface Member {
  readonly role: NodeRole;
  readonly supervisor: Supervisor;
}

/** The processes of a cluster on this machine, behind one address. */
export class Cluster {
  private readonly frontDoor: FrontDoor;
  private readonly members: Member[] = [];
  private readonly guard = new Guard("TERM");

  constructor(
    private readonly config: Config,
    private readonly options: ClusterOptions,
    private readonly env: Readonly<Record<string, string | undefined>>,
    private readonly say: (name: string, line: string) => void,
  ) {
    this.frontDoor = new FrontDoor({
      host: config.HOST,
      port: config.PORT,
      maxConnections: config.LIMIT_CONNECTIONS,
      routes: routesOf(config.REQUEST_TIMEOUT_MS),
    });
  }

  get url(): string {
    return this.frontDoor.url;
  }

  /** Opens the front door and starts all processes; resolves when each of them is ready. */
  async start(): Promise<void> {
    await this.frontDoor.listen();
    for (const role of NODE_ROLES)
      for (let n = 1; n <= this.options.counts[role]; n++) await this.add(`${role}-${n}`, role);
    await Promise.all(this.members.map(({ supervisor }) => supervisor.start()));
  }

  /** Brings the document store to what this version needs. @throws Error when that fails */
  migrate(): Promise<void> {
    return new Promise((resolve, reject) => {
      const [program = "", ...words] = command("migrate");
      const child = spawn(program, words, { env: { ...this.env }, stdio: "inherit" });
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) resolve();
        else reject(new Error("the migration failed; nothing was started"));
      });
    });
  }

  /** Ends all processes in order, each after its drain, then closes the front door. */
  async stop(): Promise<void> {
    for (const roles of STOP_ORDER) {
      const leaving = this.members.filter(({ role }) => roles.includes(role));
      await Promise.all(leaving.map(({ supervisor }) => supervisor.stop()));
    }
    await this.frontDoor.close();
    this.guard.close();
  }

  private async add(id: string, role: NodeRole): Promise<void> {
    const target = { id, group: role, host: HOST, port: await unusedPort() };
    const env = { ...this.env, SERVICES: ROLES[role].join(","), NODE_ID: id, PORT: String(target.port) };
    const supervisor = new Supervisor({
      id,
      restart: this.options.restart,
      stopMs: this.config.DRAIN_SECONDS * 1_000 + STOP_MARGIN_MS,
      launch: () => ({
        command: command("parley"),
        cwd: process.cwd(),
        env,
        isReady: (line) => line.startsWith("Parley is ready"),
        onLine: (line) => this.say(id, line),
        onStart: (pid) => {
          this.guard.watch(pid);
          this.say("cluster", `${id} is process ${pid} on port ${target.port}`);
        },
        onEnd: (pid) => this.guard.forget(pid),
      }),
      onReady: () => this.frontDoor.add(target),
      onDown: () => this.frontDoor.remove(id),
      say: (line) => this.say("cluster", line),
    });
    this.members.push({ role, supervisor });
  }
}

/** Starts a program of this folder the way this one was started: compiled, or from its source. */
const command = (name: string): readonly string[] => [
  process.execPath,
  ...(EXTENSION === ".ts" ? ["--require", "tsx/cjs"] : []),
  join(__dirname, "..", `${name}${EXTENSION}`),
];
