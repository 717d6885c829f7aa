import type { CollectionDefinition } from "../../lib/store/collection";
import { MongoFailure, type MongoStore, openMongoStore } from "../../lib/store/mongo/store";
import { migrateForTest } from "../support/migrate";
import { freshDatabase, MongoServer } from "../support/servers";
import { freePort } from "../support/server";
import { until } from "../support/wait";
import { event, LOG } from "./store/fixture";

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(uri: string, options: { socketMs?: number } = {}): Promise<MongoStore> {
  const store = await openMongoStore({ uri, ...options });
  closing.push(() => store.close());
  return store;
}

/** A FerretDB of its own, with the log's indexes. */
async function startServer(): Promise<MongoServer> {
  const server = new MongoServer();
  closing.push(() => server.stop());
  await server.start();
  await migrateForTest(server.url, [LOG]);
  return server;
}

/** The error of a call, and how long it took. */
async function failure(call: () => Promise<unknown>): Promise<{ error: Error; ms: number }> {
  const start = performance.now();
  const error: unknown = await call().then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  return { error: error as Error, ms: performance.now() - start };
}

const works = (call: () => Promise<unknown>) => () =>
  call().then(
    () => true,
    () => false,
  );

describe("a server that is away", () => {
  it("is no reason not to open; operations fail within two seconds, without a word of the address", async () => {
    const uri = `mongodb://somebody:s3cret@127.0.0.1:${await freePort()}/parley`;
    const store = await open(uri);
    await store.check();
    const log = store.collection(LOG);
    for (const call of [() => log.insertMany([event("a", 1)]), () => log.find({}), () => store.ping()]) {
      const { error, ms } = await failure(call);
      expect(error).toBeInstanceOf(MongoFailure);
      expect(ms).toBeLessThan(2_000);
      expect(`${error.stack}${JSON.stringify(error)}`).not.toMatch(/s3cret|somebody|127\.0\.0\.1/);
      expect(error.cause).toBeUndefined();
    }
  });

  it("is found again when it is back, and everything acknowledged before a SIGKILL is there", async () => {
    const server = await startServer();
    const log = (await open(server.url)).collection(LOG);
    const acknowledged: string[] = [];
    const insert = async (stream: string): Promise<void> => {
      for (let seq = 0; ; seq += 3) {
        const documents = [0, 1, 2].map((part) => event(stream, seq + part, { commandId: `${stream}/${seq + part}` }));
        const done = await works(() => log.insertMany(documents))();
        if (!done) return;
        acknowledged.push(...documents.map(({ _id }) => _id));
      }
    };
    const inserting = Promise.allSettled(Array.from({ length: 8 }, (_, i) => insert(`s${i}`)));
    await until("a few hundred inserts", () => acknowledged.length >= 300);
    await server.kill();
    await inserting;
    const { error, ms } = await failure(() => log.find({}));
    expect(error).toBeInstanceOf(MongoFailure);
    expect(ms).toBeLessThan(2_000);
    await server.start();
    await until(
      "the store answers",
      works(() => log.find({}, { limit: 1 })),
      5_000,
    );
    const stored = new Set((await log.find({})).map(({ _id }) => _id));
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  });

  it("is given up when it says nothing, and found again when it goes on", async () => {
    const server = await startServer();
    const store = await open(server.url, { socketMs: 500 });
    await store.ping();
    await server.suspend();
    const { error, ms } = await failure(() => store.ping());
    expect(error).toBeInstanceOf(MongoFailure);
    expect(ms).toBeLessThan(2_500);
    server.resume();
    await until(
      "the store answers",
      works(() => store.ping()),
      5_000,
    );
  });

  it("refuses an address that it cannot read, without quoting it", async () => {
    for (const uri of ["s3cret", "mongodb://h:port/s3cret", "mongodb://u:s3cret@@h/d", "mongodb://h/?s3cret=1"]) {
      const { error } = await failure(() => openMongoStore({ uri }));
      expect([uri, error.name]).toEqual([uri, "MongoAddressError"]);
      expect(String(error.stack)).not.toContain("s3cret");
    }
  });
});

describe("indexes", () => {
  const OTHER: CollectionDefinition = { name: "other", indexes: [{ fields: { a: 1, "b.c": -1 } }] };
  let url: string;
  beforeEach(() => {
    const database = freshDatabase();
    closing.push(() => database.drop());
    url = database.url;
  });

  it("are missing: the store says so at the check and at every use, until they are built", async () => {
    const store = await open(url);
    const log = store.collection(LOG);
    const expected = { name: "StoreNotMigratedError", message: expect.stringContaining("npm run migrate") as string };
    await expect(store.check()).rejects.toMatchObject(expected);
    await expect(log.insertMany([event("a", 1)])).rejects.toMatchObject(expected);
    await expect(log.find({})).rejects.toMatchObject(expected);
    await migrateForTest(url, [LOG]);
    await store.check();
    await log.insertMany([event("a", 1)]);
    await expect(log.insertMany([event("a", 1, { _id: "b" })])).rejects.toMatchObject({ name: "DuplicateKeyError" });
  });

  it("are built once, each told by its name", async () => {
    const store = await open(url);
    const done = await store.migrate([LOG, OTHER]);
    expect(done).toContain("unique sparse index log(key) built");
    expect(done).toContain("index other(a, b.c) built");
    expect(await store.migrate([LOG, OTHER])).toEqual([]);
  });

  it("that refuse what the definition takes are the operator's to drop", async () => {
    const store = await open(url);
    await store.migrate([{ name: "other", indexes: [{ fields: { a: 1, "b.c": -1 }, unique: true }] }]);
    await store.migrate([{ name: "log", indexes: [{ fields: { day: 1 }, unique: true }, { fields: { mine: 1 } }] }]);
    const conflicts = await failure(() => store.migrate([LOG, OTHER]));
    expect(conflicts.error).toMatchObject({
      differences: ["log has a unique index that is not its own (day_1)", "index other(a, b.c) has other options"],
    });
    await expect((await open(url)).collection(OTHER).find({})).rejects.toMatchObject({ name: "StoreNotMigratedError" });
  });
});
