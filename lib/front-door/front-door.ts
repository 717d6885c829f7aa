import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { HttpServer } from "../http-server";
import { forward } from "./forward";
import { HealthChecks } from "./health-checks";
import { tunnel } from "./tunnel";
import { type Target, type Upstream, Upstreams } from "./upstreams";

export interface Route {
  /** Beginning of the paths that take this route. */
  readonly prefix: string;
  /** Group of the targets that serve it. */
  readonly group: string;
  /** Longest silence of a target within a request. */
  readonly silenceMs: number;
  /** What names the target that already serves this client; undefined when any will do. */
  affinity?(request: IncomingMessage): string | undefined;
}

export interface FrontDoorOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  /** The first whose prefix fits is taken; what fits none is refused. */
  readonly routes: readonly Route[];
}

/**
 * One address for the processes of a cluster on one machine; it routes as an Ingress does. Requests and upgrades go to
 * healthy targets, those of a client that one of them already serves to that one. The peer's address is appended to
 * X-Forwarded-For: targets believe one hop more than the front door has in front of itself.
 */
export class FrontDoor {
  private readonly http: HttpServer;
  private readonly upstreams = new Upstreams();
  private readonly checks = new HealthChecks(this.upstreams);
  private readonly tunnels = new Set<Duplex>();

  constructor(private readonly options: FrontDoorOptions) {
    this.http = new HttpServer(options);
    this.http.handle((request, response) => this.request(request, response));
    this.http.server.on("upgrade", (request: IncomingMessage, client: Duplex, head: Buffer) =>
      this.upgrade(request, client, head),
    );
  }

  /** Where it listens. Throws while it does not. */
  get url(): string {
    return this.http.url;
  }

  /** From now on the target gets its share, until its checks fail. Replaces one of the same id. */
  add(target: Target): void {
    this.upstreams.add(target);
  }

  /** From now on the target gets nothing new; what it serves goes on. Call it before stopping a target. */
  remove(id: string): void {
    this.upstreams.remove(id);
  }

  /** Ids of the targets that get new requests. */
  get healthy(): string[] {
    return [...this.upstreams.all()].filter(({ up }) => up).map(({ target }) => target.id);
  }

  /** Rejects with the system's error, EADDRINUSE when the port is taken. */
  async listen(): Promise<void> {
    await this.http.listen();
    this.checks.start();
  }

  /** Cuts everybody off. */
  async close(): Promise<void> {
    this.checks.stop();
    for (const client of this.tunnels) client.destroy();
    await this.http.close();
    this.upstreams.close();
  }

  private request(request: IncomingMessage, response: ServerResponse): void {
    const route = this.routeOf(request);
    const silenceMs = route?.silenceMs ?? 0;
    forward({ request, response, silenceMs, pick: this.picker(route, request) });
  }

  private upgrade(request: IncomingMessage, client: Duplex, head: Buffer): void {
    this.tunnels.add(client);
    client.once("close", () => this.tunnels.delete(client));
    client.on("error", () => client.destroy());
    tunnel({ request, client, head, pick: this.picker(this.routeOf(request), request) });
  }

  private routeOf({ url = "/" }: IncomingMessage): Route | undefined {
    return this.options.routes.find(({ prefix }) => url.startsWith(prefix));
  }

  private picker(route: Route | undefined, request: IncomingMessage) {
    const id = route?.affinity?.(request);
    return (tried: ReadonlySet<Upstream>): Upstream | undefined => route && this.upstreams.pick(route.group, id, tried);
  }
}
