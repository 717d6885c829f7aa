import { connect, type ConnectionOptions } from "nats";
import { obtain, PROGRAMS } from "./obtain";
import { type ServerOptions, ServerProcess } from "./process";

const PING_TIMEOUT_MS = 1_000;

export interface NatsOptions extends ServerOptions {
  /** What a client needs beside the address: credentials, TLS. */
  readonly client?: ConnectionOptions;
}

/** A nats-server; further words such as `-c file` or `--user` go in `args`. */
export class NatsServer extends ServerProcess {
  private readonly client: ConnectionOptions;

  constructor(options: NatsOptions = {}) {
    super("nats", options);
    this.client = options.client ?? {};
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  protected override async command(port: number): Promise<readonly string[]> {
    return [await obtain(PROGRAMS.nats), "--addr", "127.0.0.1", "--port", String(port)];
  }

  protected override async ping(): Promise<void> {
    const connection = await connect({
      ...this.client,
      servers: this.url,
      timeout: PING_TIMEOUT_MS,
      reconnect: false,
    });
    await connection.flush();
    await connection.close();
  }
}
