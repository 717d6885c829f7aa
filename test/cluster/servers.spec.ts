import { setTimeout as pause } from "node:timers/promises";
import Redis from "ioredis";
import { mongo } from "mongoose";
import { connect } from "nats";
import {
  freshDatabase,
  freshEnvironment,
  freshRedis,
  mongoNames,
  MongoServer,
  NatsServer,
  RedisServer,
  type ServerProcess,
} from "../support/servers";

const started: ServerProcess[] = [];

async function start<T extends ServerProcess>(server: T): Promise<T> {
  started.push(server);
  await server.start();
  return server;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

async function withMongo<T>(url: string, work: (db: mongo.Db) => Promise<T>): Promise<T> {
  const client = new mongo.MongoClient(url);
  try {
    return await work(client.db());
  } finally {
    await client.close();
  }
}

async function withRedis<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

const insert = (db: mongo.Db) =>
  db
    .collection<{ _id: string }>("things")
    .insertOne({ _id: "one" }, { writeConcern: { w: "majority", journal: true } });
const count = (db: mongo.Db) => db.collection("things").countDocuments();

describe("a private server", () => {
  it("that was killed keeps its acknowledged documents, on the same port (FerretDB)", async () => {
    const server = await start(new MongoServer({ kind: "ferret" }));
    const { url, pid } = server;
    await withMongo(url, insert);
    await server.kill();
    expect(server.running).toBe(false);
    await server.start();
    expect(server.pid).not.toBe(pid);
    expect(server.url).toBe(url);
    expect(await withMongo(url, count)).toBe(1);
  });

  it("that was killed starts empty when it keeps everything in memory (Java)", async () => {
    const server = await start(new MongoServer({ kind: "java" }));
    await withMongo(server.url, insert);
    await server.kill();
    await server.start();
    expect(await withMongo(server.url, count)).toBe(0);
  });

  it("that was killed keeps its keys only when asked to (Redis)", async () => {
    const forgetful = await start(new RedisServer());
    const persistent = await start(new RedisServer({ persistent: true }));
    const values = [forgetful, persistent].map(async (server) => {
      await withRedis(server.url, (client) => client.set("key", "value"));
      await server.kill();
      await server.start();
      return withRedis(server.url, (client) => client.get("key"));
    });
    expect(await Promise.all(values)).toEqual([null, "value"]);
  });

  it("that is suspended answers once it goes on (NATS)", async () => {
    const server = await start(new NatsServer());
    const connection = await connect({ servers: server.url });
    await server.suspend();
    let answered = false;
    const flushed = connection.flush().then(() => (answered = true));
    await pause(200);
    expect(answered).toBe(false);
    server.resume();
    await flushed;
    await connection.close();
  });

  it("takes further words of its command line (NATS)", async () => {
    const credentials = { user: "parley", pass: "secret" };
    const server = await start(new NatsServer({ args: ["--user", "parley", "--pass", "secret"], client: credentials }));
    await expect(connect({ servers: server.url })).rejects.toThrow(/authorization/i);
    await (await connect({ servers: server.url, ...credentials })).close();
  });

  it("tells what it wrote when it does not come up", async () => {
    await expect(start(new NatsServer({ args: ["--no-such-flag"] }))).rejects.toThrow(/no-such-flag/);
  });
});

describe("what the specs of a run share", () => {
  it.each(mongoNames())("gives each an empty database of its own on %s", async (name) => {
    const [mine, other] = [freshDatabase(name), freshDatabase(name)];
    await withMongo(mine.url, insert);
    expect(await withMongo(other.url, count)).toBe(0);
    await mine.drop();
    expect(await withMongo(mine.url, count)).toBe(0);
  });

  it("gives each a numbered database of its own on Redis", async () => {
    const [mine, other] = [await freshRedis(), await freshRedis()];
    await withRedis(mine.url, (client) => client.set("key", "value"));
    expect(await withRedis(other.url, (client) => client.dbsize())).toBe(0);
    await mine.drop();
    expect(await withRedis(mine.url, (client) => client.dbsize())).toBe(0);
  });

  it("gives each cluster a broker namespace of its own, and addresses without an ampersand", async () => {
    const [mine, other] = [await freshEnvironment(), await freshEnvironment()];
    expect(mine.env.NAMESPACE).not.toBe(other.env.NAMESPACE);
    expect(Object.values(mine.env).join(" ")).not.toContain("&");
    await Promise.all([mine.drop(), other.drop()]);
  });
});
