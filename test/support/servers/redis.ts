import Redis from "ioredis";
import { obtain, PROGRAMS } from "./obtain";
import { type ServerOptions, ServerProcess } from "./process";

const PING_TIMEOUT_MS = 1_000;
/** One for each user of a shared server, see `freshRedis`. */
export const REDIS_DATABASES = 4_096;

export interface RedisOptions extends ServerOptions {
  /** Keep the data over a restart; off, so that a restart starts empty. */
  readonly persistent?: boolean;
}

/** A redis-server, without persistence unless asked for. */
export class RedisServer extends ServerProcess {
  private readonly persistent: boolean;

  constructor(options: RedisOptions = {}) {
    super("redis", options);
    this.persistent = options.persistent ?? false;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  protected override async command(port: number): Promise<readonly string[]> {
    const persistence = ["--save", "", "--appendonly", this.persistent ? "yes" : "no", "--appendfsync", "always"];
    const place = ["--bind", "127.0.0.1", "--port", String(port), "--dir", this.folder];
    return [await obtain(PROGRAMS.redis), ...place, "--databases", String(REDIS_DATABASES), ...persistence];
  }

  protected override async ping(): Promise<void> {
    const client = new Redis(this.url, {
      lazyConnect: true,
      connectTimeout: PING_TIMEOUT_MS,
      commandTimeout: PING_TIMEOUT_MS,
      retryStrategy: () => null,
    });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.ping();
    } finally {
      // On a closed connection `disconnect` would leave a timer behind.
      if (client.status !== "end") client.disconnect();
    }
  }
}
