import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A TCP server that passes every connection on to another one, and can be told to misbehave. */
export interface TcpProxy extends Address {
  /** The same address as `url` has, by way of the proxy: `through("nats://127.0.0.1:4222")`. */
  through(url: string): string;
  /** Connections that are open now. */
  readonly connections: number;
  /** Cuts every connection and lets none in until `resume`. */
  cut(): void;
  /** Keeps every connection and lets nothing through, in neither direction, until `resume`. */
  freeze(): void;
  /** Holds every byte back for so many milliseconds from now on, in order; 0 for none. */
  delay(ms: number): void;
  /** Lets everything through again: first what was held back. */
  resume(): void;
  close(): Promise<void>;
}

interface Pipe {
  readonly client: Socket;
  readonly server: Socket;
}

/** Starts a proxy on a free port of the loopback; the test that starts it closes it. */
export async function startTcpProxy(target: Address): Promise<TcpProxy> {
  const proxy = new Proxy(target);
  await proxy.listen();
  return proxy;
}

class Proxy implements TcpProxy {
  readonly host = "127.0.0.1";
  private readonly pipes = new Set<Pipe>();
  private readonly server: Server;
  private refusing = false;
  private frozen = false;
  private delayMs = 0;
  private thawing: Array<() => void> = [];

  constructor(private readonly target: Address) {
    this.server = createServer((client) => this.accept(client));
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(0, this.host, resolve);
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.pipes.size;
  }

  through(url: string): string {
    return url.replace(`${this.target.host}:${this.target.port}`, `${this.host}:${this.port}`);
  }

  cut(): void {
    this.refusing = true;
    for (const { client, server } of this.pipes) {
      client.destroy();
      server.destroy();
    }
  }

  freeze(): void {
    this.frozen = true;
  }

  delay(ms: number): void {
    this.delayMs = ms;
  }

  resume(): void {
    this.refusing = false;
    this.frozen = false;
    this.delayMs = 0;
    for (const thaw of this.thawing.splice(0)) thaw();
  }

  async close(): Promise<void> {
    this.cut();
    this.resume();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    if (this.refusing) {
      client.destroy();
      return;
    }
    const server = connect(this.target.port, this.target.host);
    const pipe = { client, server };
    this.pipes.add(pipe);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        server.destroy();
        this.pipes.delete(pipe);
      });
    }
    client.pipe(this.channel()).pipe(server);
    server.pipe(this.channel()).pipe(client);
  }

  /** One direction of a connection. What waits here is bounded by the stream's own buffer: the sender then waits too. */
  private channel(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const pass = (): void => {
          if (this.frozen) this.thawing.push(pass);
          else done(null, chunk);
        };
        if (this.delayMs > 0) setTimeout(pass, this.delayMs);
        else pass();
      },
    });
  }
}
