import { NodeProcess } from "../../lib/cluster/node-process";
import type { Target } from "../../lib/front-door/upstreams";
import { type NodeRole, ROLES } from "../../services/roles";
import { until } from "./wait";

const START_TIMEOUT_MS = 60_000;
const START_ATTEMPTS = 3;
const STOP_TIMEOUT_MS = 30_000;
const HOST = "127.0.0.1";

export interface ClusterNodeOptions {
  readonly id: string;
  readonly role: NodeRole;
  readonly port: number;
  /** Words that start it. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  onStart(pid: number): void;
  onEnd(pid: number): void;
  /** It takes requests, or is about to stop. */
  onReady(target: Target): void;
  onStopping(id: string): void;
}

/** One process of a cluster under test, over all its lives: name, role, port and environment stay. */
export class ClusterNode {
  private process: NodeProcess | undefined;
  private readonly lines: string[] = [];

  constructor(private readonly options: ClusterNodeOptions) {}

  get id(): string {
    return this.options.id;
  }

  get role(): NodeRole {
    return this.options.role;
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  get running(): boolean {
    return this.process?.running ?? false;
  }

  /** Its own address, past the front door. */
  get url(): string {
    return `http://${HOST}:${this.options.port}`;
  }

  /** What it has written to stdout and stderr, over all its lives. */
  get logs(): string {
    return this.lines.join("\n");
  }

  /** Starts the process, with the environment of its first start and `env`, and waits until it says it is ready. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const { id, role, port, command, cwd, onStart, onEnd } = this.options;
    const process = new NodeProcess({
      command,
      cwd,
      env: { SERVICES: ROLES[role].join(","), ...this.options.env, ...env, NODE_ID: id, PORT: String(port), HOST },
      isReady: (line) => line.startsWith("Parley is ready"),
      onLine: (line) => this.lines.push(line),
      onStart,
      onEnd,
    });
    this.process = process;
    const late = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready in ${START_TIMEOUT_MS} ms`)), START_TIMEOUT_MS);
      void process.ended.then(() => clearTimeout(timer));
      void process.ready.then(
        () => clearTimeout(timer),
        () => undefined,
      );
    });
    await Promise.race([process.ready, late]).catch((error: unknown) => {
      process.signal("SIGKILL");
      throw new Error(`${id}: ${String(error)}\n${this.logs.slice(-4_000)}`);
    });
    this.options.onReady({ id, group: role, host: HOST, port });
  }

  /** Sends a signal and waits until the process has ended. SIGTERM is told to the front door first, as an Ingress is. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const { process } = this;
    if (!process?.running) return;
    if (signal !== "SIGKILL") this.options.onStopping(this.id);
    process.signal(signal);
    await until(`${this.id} ends on ${signal}`, () => !process.running, STOP_TIMEOUT_MS);
    await process.ended;
  }

  /**
   * Ends the process with `signal` and starts it again; as an orchestrator does, once more when it ends before it is
   * ready because what it needs is not there yet.
   */
  async restart(signal: NodeJS.Signals = "SIGTERM", env: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.kill(signal);
    for (let attempt = 1; ; attempt++) {
      try {
        await this.start(env);
        return;
      } catch (error) {
        if (attempt === START_ATTEMPTS) throw error;
        this.lines.push(String(error));
      }
    }
  }

  /** SIGSTOP: it stands still, with all its connections open, until `resume`. */
  suspend(): void {
    this.process?.signal("SIGSTOP");
  }

  /** SIGCONT after `suspend`. */
  resume(): void {
    this.process?.signal("SIGCONT");
  }
}
