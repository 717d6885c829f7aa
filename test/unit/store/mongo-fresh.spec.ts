/** Reads that miss nothing acknowledged, in a replica set: what is sent to it, and when. */
import mongoose from "mongoose";
import { type MongoStore, openMongoStore } from "../../../lib/store/mongo/store";
import { type Answer, FakeMongod } from "../../support/fake-mongod";
import { until } from "../../support/wait";

type Sent = Record<string, unknown> & { readConcern?: { level?: string; afterClusterTime?: { t: number } } };
const { Timestamp } = mongoose.mongo;

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A store on a server whose clock goes on by one with each write, and which holds writes back when told to. */
async function open({ alone = false } = {}) {
  let time = 100;
  const state = { failing: false, gate: Promise.resolve() };
  const answer: Answer = async (command) => {
    const found = { cursor: { id: mongoose.mongo.Long.ZERO, ns: "parley.log", firstBatch: [] } };
    if (!("update" in command || "insert" in command)) return "find" in command ? found : {};
    const operationTime = alone ? {} : { operationTime: new Timestamp({ t: ++time, i: 1 }) };
    await state.gate;
    return { n: 1, ...operationTime, ...(state.failing && { writeConcernError: { code: 64 } }) };
  };
  const server = new FakeMongod(answer);
  closing.push(() => server.stop());
  const store: MongoStore = await openMongoStore({ uri: await server.start() });
  closing.push(() => store.close());
  const log = store.collection({ name: "log", indexes: [] });
  server.commands.length = 0;
  const sent = server.commands as Sent[];
  const reads = () => sent.filter((command) => "find" in command);
  const writes = () => sent.filter((command) => "update" in command);
  return { log, sent, reads, writes, state };
}

const after = (read: Sent | undefined): number | undefined => read?.readConcern?.afterClusterTime?.t;

it("is behind a write that a majority took after the read began", async () => {
  const { log, sent, reads } = await open();
  await log.find({ _id: "a" }, { fresh: true });
  expect(sent.map((command) => Object.keys(command)[0])).toEqual(["update", "find"]);
  expect(sent[0]).toMatchObject({ update: "parley_ping", writeConcern: { w: "majority", j: true } });
  expect(reads()[0]?.readConcern).toMatchObject({
    level: "majority",
    afterClusterTime: new Timestamp({ t: 101, i: 1 }),
  });
});

it("shares its write with those that begin before it is sent, and with none that begin later", async () => {
  const { log, reads, writes, state } = await open();
  let release = (): void => undefined;
  state.gate = new Promise((resolve) => (release = resolve));
  const first = [log.findOne({ _id: "a" }, { fresh: true }), log.find({ _id: "b" }, { fresh: true })];
  await until("a write", () => writes().length === 1);
  const later = [log.find({ _id: "c" }, { fresh: true }), log.find({ _id: "d" }, { fresh: true })];
  release();
  await Promise.all([...first, ...later]);
  expect(writes()).toHaveLength(2);
  expect(reads().map(after)).toEqual([101, 101, 102, 102]);
});

it("fails when no majority takes the write, and the next one writes again", async () => {
  const { log, reads, state } = await open();
  state.failing = true;
  await expect(log.find({}, { fresh: true })).rejects.toMatchObject({ name: "MongoFailure" });
  expect(reads()).toEqual([]);
  state.failing = false;
  await log.find({}, { fresh: true });
  expect(reads().map(after)).toEqual([102]);
});

it("is not needed to see what this process has stored: any read is behind that, and writes nothing", async () => {
  const { log, reads, writes, state } = await open();
  await log.find({});
  await log.insertMany([{ _id: "a" }]);
  await log.find({});
  state.failing = true;
  await expect(log.insertMany([{ _id: "b" }])).rejects.toMatchObject({ name: "MongoFailure" });
  await log.find({});
  expect(reads().map(after)).toEqual([undefined, 101, 101]);
  expect(writes()).toEqual([]);
});

it("is a read like any other where one server is all there is", async () => {
  const { log, reads } = await open({ alone: true });
  await log.find({}, { fresh: true });
  expect(reads().map(({ readConcern }) => readConcern)).toEqual([{ level: "majority" }]);
});
