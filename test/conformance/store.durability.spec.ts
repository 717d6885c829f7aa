import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Store } from "../../lib/store/collection";
import { DataFolderLockedError, openSqliteStore } from "../../lib/store/sqlite/store";
import { LOG } from "./store.log";

let folder: string;
const children = new Set<ChildProcess>();
const stores = new Set<Store>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-durability-"));
});
afterEach(async () => {
  for (const child of children) await kill(child);
  for (const store of stores) await store.close();
  stores.clear();
  await rm(folder, { recursive: true });
});

async function open(): Promise<Store> {
  const store = await openSqliteStore({ folder, readers: 1 });
  stores.add(store);
  return store;
}

function start(round: string): { child: ChildProcess; lines: AsyncIterator<string> } {
  const script = join(__dirname, "store.child.ts");
  const child = spawn(process.execPath, ["--require", require.resolve("tsx/cjs"), script, folder, round], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.add(child);
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

const next = async (lines: AsyncIterator<string>): Promise<string> => String((await lines.next()).value);

describe("the SQLite store", () => {
  it("has every acknowledged document after SIGKILL, and lets the next process in at once", async () => {
    const acknowledged: string[] = [];
    for (const round of ["a", "b", "c"]) {
      const { child, lines } = start(round);
      expect(await next(lines)).toBe("open");
      const until = acknowledged.length + 300;
      while (acknowledged.length < until) acknowledged.push(await next(lines));
      await kill(child);
    }
    const log = (await open()).collection(LOG);
    const stored = new Set((await log.find({})).map((document) => document._id));
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  }, 60_000);

  it("refuses a folder that another process has open", async () => {
    const { lines } = start("a");
    expect(await next(lines)).toBe("open");
    const refusal: unknown = await openSqliteStore({ folder }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DataFolderLockedError);
    expect(refusal).toMatchObject({ message: expect.stringContaining(folder) as string });
  }, 30_000);

  it("refuses another process, and another store of this one, while it is open", async () => {
    const store = await open();
    await expect(openSqliteStore({ folder })).rejects.toBeInstanceOf(DataFolderLockedError);
    expect(await next(start("a").lines)).toBe("locked");
    await store.close();
    expect(await next(start("a").lines)).toBe("open");
  }, 60_000);

  it("keeps what it was given before it was closed, and finds it by an index declared later", async () => {
    const first = await open();
    const documents = Array.from({ length: 500 }, (_, seq) => ({
      _id: `d${seq}`,
      stream: "s",
      seq,
      by: `u${seq % 5}`,
    }));
    const inserts = documents.map((document) => first.collection(LOG).insertMany([document]));
    await first.collection(LOG).findOne({});
    await Promise.all([...inserts, first.close()]);

    const later = { ...LOG, indexes: [...LOG.indexes, { fields: { by: 1 } as const }] };
    const log = (await open()).collection(later);
    expect(await log.count({ by: "u3" }, 1_000)).toBe(100);
    expect(await log.find({ by: "u3", seq: { $lt: 4 } })).toEqual([documents[3]]);
  }, 30_000);

  it("answers an insert while a long bulk write is still going on", async () => {
    const store = await open();
    const log = store.collection(LOG);
    const done: string[] = [];
    const documents = Array.from({ length: 20_000 }, (_, seq) => ({ _id: `d${seq}`, stream: "bulk", seq }));
    const bulk = log.putNewer(documents, "seq" as "_id").then(() => done.push("bulk"));
    await log.insertMany([{ _id: "x" }]).then(() => done.push("insert"));
    await bulk;
    expect(done).toEqual(["insert", "bulk"]);
    expect(await log.count({}, 30_000)).toBe(20_001);
  }, 30_000);
});
