/** What is sent, and what is made of answers that no stand-in gives. */
import type { CollectionDefinition } from "../../../lib/store/collection";
import { MongoCollection } from "../../../lib/store/mongo/collection";
import type { MongoModel } from "../../../lib/store/mongo/connection";
import type { WriteReply } from "../../../lib/store/mongo/replies";

const DEFINITION: CollectionDefinition = { name: "log", indexes: [{ fields: { key: 1 }, unique: true, sparse: true }] };
const DUPLICATE = { writeErrors: [{ index: 0, code: 11_000 }] };

/** A collection whose commands are answered with these replies, in turn; an Error is thrown. */
function answering(...replies: Array<WriteReply | Error>) {
  const sent: Array<Record<string, unknown>> = [];
  const command = <T>(given: Record<string, unknown>): Promise<T> => {
    sent.push(given);
    const reply = replies.shift() ?? new Error("asked too often");
    return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply as T);
  };
  const times = { serverSelectionMs: 1, socketMs: 2, operationMs: 3 };
  const nothing = (): undefined => undefined;
  const connection = { command, times, assertOpen: nothing, session: nothing };
  const host = { connection, readIndex: { pass: () => Promise.resolve() }, admit: nothing };
  const collection = new MongoCollection<{ _id: string; n?: number; key?: string }>(
    DEFINITION,
    host,
    undefined as unknown as MongoModel,
  );
  return { collection, sent };
}

describe("a write command", () => {
  it("waits for a majority and its journal, and not for ever", async () => {
    const { collection, sent } = answering({ n: 1 }, { n: 1 }, {}, { n: 1 });
    await collection.insertMany([{ _id: "a" }]);
    await collection.updateOne({ _id: "a" }, { $set: { n: 1 } });
    await collection.findOneAndUpdate({ _id: "a" }, { $set: { n: 1 } });
    await collection.deleteMany({ _id: "a" });
    expect(sent).toHaveLength(4);
    for (const command of sent)
      expect(command).toMatchObject({ writeConcern: { w: "majority", j: true, wtimeout: 3 }, maxTimeMS: 3 });
  });

  it("is not known to have happened when its write concern failed, beside a duplicate too", async () => {
    const writeConcernError = { code: 64, codeName: "WriteConcernTimeout" };
    for (const reply of [
      { n: 1, writeConcernError },
      { n: 0, writeConcernError, ...DUPLICATE },
    ]) {
      const { collection } = answering(reply, reply);
      await expect(collection.insertMany([{ _id: "a" }])).rejects.toMatchObject({ name: "MongoFailure" });
      await expect(collection.updateOne({ _id: "a" }, { $inc: { n: 1 } })).rejects.toMatchObject({
        name: "MongoFailure",
      });
    }
  });

  it("stops at the first failure of an ordered insert, over all its messages", async () => {
    const { collection, sent } = answering({ n: 1_000 }, { n: 0, writeErrors: [{ index: 7, code: 11_000 }] });
    const documents = Array.from({ length: 2_500 }, (_, i) => ({ _id: `${i}` }));
    await expect(collection.insertMany(documents)).rejects.toMatchObject({ name: "DuplicateKeyError", index: 1_007 });
    expect(sent).toHaveLength(2);
  });
});

describe("an upsert that meets the document of another one", () => {
  const upsert = { upsert: true };

  it("updates it", async () => {
    const { collection } = answering(DUPLICATE, { n: 1 });
    const result = await collection.updateOne({ _id: "a" }, { $inc: { n: 1 } }, upsert);
    expect(result).toEqual({ matched: 1, upserted: false });
    const thrown = Object.assign(new Error("E11000"), { code: 11_000 });
    const found = answering(thrown, { value: { _id: "a", n: 1 } } as WriteReply);
    expect(await found.collection.findOneAndUpdate({ _id: "a" }, { $inc: { n: 1 } }, upsert)).toEqual({
      _id: "a",
      n: 1,
    });
  });

  it("is repeated alone in bulk, once", async () => {
    const operation = (_id: string) => ({ filter: { _id }, update: { $inc: { n: 1 } }, ...upsert });
    const failed = { n: 1, writeErrors: [{ index: 1, code: 11_000 }] };
    const { collection, sent } = answering(failed, { n: 1 });
    await collection.bulkWrite([operation("a"), operation("b")]);
    expect(sent[1]).toMatchObject({ updates: [{ q: { _id: "b" }, u: { $inc: { n: 1 } }, upsert: true }] });
    const again = answering(failed, DUPLICATE);
    const bulk = again.collection.bulkWrite([operation("a"), operation("b")]);
    await expect(bulk).rejects.toMatchObject({ name: "DuplicateKeyError", index: 1 });
  });

  it("is not repeated when it is no upsert", async () => {
    const { collection, sent } = answering(DUPLICATE);
    const update = collection.updateOne({ _id: "a" }, { $set: { key: "k" } });
    await expect(update).rejects.toMatchObject({ name: "DuplicateKeyError", index: 0 });
    expect(sent).toHaveLength(1);
  });
});
