import { get } from "node:http";
import type { Upstream, Upstreams } from "./upstreams";

const PATH = "/health/ready";
const EVERY_MS = 500;
const ANSWER_MS = 2_000;

/** Asks every upstream twice a second whether it wants traffic; any answer below 500 is a yes. */
export class HealthChecks {
  private readonly asking = new Set<Upstream>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly upstreams: Pick<Upstreams, "all">) {}

  start(): void {
    this.timer = setInterval(() => this.round(), EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private round(): void {
    for (const upstream of this.upstreams.all()) if (!this.asking.has(upstream)) this.ask(upstream);
  }

  private ask(upstream: Upstream): void {
    const { host, port } = upstream.target;
    this.asking.add(upstream);
    const request = get({ host, port, path: PATH, agent: false, timeout: ANSWER_MS }, (response) => {
      response.resume();
      upstream.answered((response.statusCode ?? 500) < 500);
    });
    request.once("timeout", () => request.destroy());
    request.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") upstream.refused();
      else upstream.silent();
    });
    request.once("close", () => this.asking.delete(upstream));
  }
}
