import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import mongoose from "mongoose";

const { BSON } = mongoose.mongo;
type Body = Record<string, unknown>;

/** What answers a command; undefined for `{ ok: 1 }`. */
export type Answer = (command: Body) => Promise<Body | undefined> | Body | undefined;

const HEADER = 16;
const OP_REPLY = 1;
const OP_MSG = 2_013;
const OP_QUERY = 2_004;

/**
 * The wire protocol of a MongoDB server that knows nothing: it says that it leads a replica set, records the commands
 * it is given, and answers what a test wants. For what is sent, which no stand-in looks at.
 */
export class FakeMongod {
  readonly commands: Body[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  constructor(private readonly answer: Answer) {
    this.server = createServer((socket) => this.serve(socket));
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `mongodb://${this.address}/parley?replicaSet=rs&directConnection=true`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private serve(socket: Socket): void {
    let held = Buffer.alloc(0);
    this.sockets.add(socket.on("error", () => undefined));
    socket.on("data", (chunk) => {
      held = Buffer.concat([held, chunk]);
      while (held.length >= HEADER && held.length >= held.readInt32LE(0)) {
        const message = held.subarray(0, held.readInt32LE(0));
        held = held.subarray(message.length);
        void this.reply(socket, message);
      }
    });
  }

  private async reply(socket: Socket, message: Buffer): Promise<void> {
    const old = message.readInt32LE(12) === OP_QUERY;
    const at = old ? message.indexOf(0, HEADER + 4) + 9 : HEADER + 5;
    const command = BSON.deserialize(message.subarray(at, at + message.readInt32LE(at))) as Body;
    const body = BSON.serialize({ ok: 1, ...(isHello(command) ? this.hello() : await this.answered(command)) });
    const fields = Buffer.alloc(old ? 20 : 5);
    if (old) fields.writeInt32LE(1, 16);
    const head = Buffer.alloc(HEADER);
    head.writeInt32LE(HEADER + fields.length + body.length, 0);
    head.writeInt32LE(message.readInt32LE(4), 8);
    head.writeInt32LE(old ? OP_REPLY : OP_MSG, 12);
    if (socket.writable) socket.write(Buffer.concat([head, fields, body]));
  }

  private answered(command: Body): ReturnType<Answer> {
    if ("endSessions" in command) return undefined;
    this.commands.push(command);
    return this.answer(command);
  }

  private hello(): Body {
    const { address } = this;
    return {
      ...{ isWritablePrimary: true, setName: "rs", hosts: [address], me: address, primary: address },
      ...{ minWireVersion: 0, maxWireVersion: 21, logicalSessionTimeoutMinutes: 30, localTime: new Date() },
      ...{ maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000 },
    };
  }
}

const isHello = (command: Body): boolean => ["hello", "ismaster", "isMaster"].some((name) => name in command);
