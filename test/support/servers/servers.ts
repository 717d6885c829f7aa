import { type MongoKind, MongoServer } from "./mongo";
import { NatsServer } from "./nats";
import type { ServerProcess } from "./process";
import { RedisServer } from "./redis";
import { messageOf } from "../../../lib/message-of";

export interface ServersOptions {
  /** The stand-in for MongoDB; FerretDB when absent. Without effect when `mongoUri` is given. */
  readonly mongo?: MongoKind;
  /** A MongoDB that is there already: none is started then. */
  readonly mongoUri?: string | undefined;
}

/** What a node of a cluster needs to know. */
export interface ServerEnvironment extends Readonly<Record<string, string>> {
  readonly NATS_URL: string;
  readonly REDIS_URL: string;
  readonly MONGODB_URI: string;
}

export interface Servers {
  readonly nats: NatsServer;
  readonly redis: RedisServer;
  /** Undefined with a MongoDB that was there already. */
  readonly mongo: MongoServer | undefined;
  readonly env: ServerEnvironment;
  stop(): Promise<void>;
}

/**
 * Starts a broker, a Redis and a MongoDB stand-in on empty folders, and waits until all of them answer.
 * @throws Error saying what to install, or with the output of a server that did not come up, for each that failed
 */
export async function startServers(options: ServersOptions = {}): Promise<Servers> {
  const nats = new NatsServer();
  const redis = new RedisServer();
  const mongo = options.mongoUri === undefined ? new MongoServer({ kind: options.mongo ?? "ferret" }) : undefined;
  const all: ServerProcess[] = [nats, redis, ...(mongo ? [mongo] : [])];
  const stop = async () => void (await Promise.all(all.map((server) => server.stop())));
  const results = await Promise.allSettled(all.map((server) => server.start()));
  const failures = results.flatMap((result) => (result.status === "rejected" ? [messageOf(result.reason)] : []));
  if (failures.length > 0) {
    await stop();
    throw new Error(failures.join("\n\n"));
  }
  const env = { NATS_URL: nats.url, REDIS_URL: redis.url, MONGODB_URI: options.mongoUri ?? mongo?.url ?? "" };
  return { nats, redis, mongo, env, stop };
}
