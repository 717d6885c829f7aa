import { DuplicateKeyError, RejectedError } from "../../../lib/store/collection";
import { batchesOf } from "../../../lib/store/mongo/batches";
import { failureOf, failuresOf, MongoFailure } from "../../../lib/store/mongo/replies";

describe("a server's reply to a write", () => {
  it("tells each operation's failure by its place in the caller's list", () => {
    const writeErrors = [
      { index: 2, code: 11_000 },
      { index: 0, code: 10_334 },
    ];
    const failures = failuresOf({ n: 1, writeErrors }, [4, 5, 9]);
    expect(failures).toEqual([new DuplicateKeyError(9), new RejectedError(4, "too large")]);
  });

  it("leaves the outcome unknown when the write concern failed, whatever else it tells", () => {
    const writeErrors = [{ index: 0, code: 11_000 }];
    const reply = { n: 0, writeErrors, writeConcernError: { code: 64, codeName: "WriteConcernTimeout" } };
    expect(() => failuresOf(reply, [0])).toThrow(MongoFailure);
  });

  it.each([189, 91, 10_107, 50, 112, 1])("leaves the outcome unknown after error %d", (code) => {
    expect(() => failuresOf({ writeErrors: [{ index: 0, code }] }, [0])).toThrow(MongoFailure);
  });

  it("is told without what it quotes", () => {
    const error = Object.assign(new Error('E11000 dup key: { email: "a@b.c" } at mongodb://u:p@h'), {
      name: "MongoServerError",
      code: 11_600,
      codeName: "InterruptedAtShutdown",
    });
    const told = failureOf(error);
    expect(told.message).toBe("the document store failed: MongoServerError 11600 InterruptedAtShutdown");
    expect(told.cause).toBeUndefined();
  });
});

describe("batches", () => {
  const sizes = (...list: number[]) => list.map((size, place) => ({ place, size }));
  const cut = (items: ReturnType<typeof sizes>) =>
    [...batchesOf(items)].map((batch) => batch.map(({ place }) => place));

  it("hold what one message takes, in order, and nothing twice", () => {
    const megabyte = 1024 * 1024;
    expect(cut([])).toEqual([]);
    expect(cut(sizes(1, 2, 3))).toEqual([[0, 1, 2]]);
    expect(cut(sizes(8 * megabyte, 4 * megabyte, 1, 16 * megabyte, 1))).toEqual([[0, 1], [2], [3], [4]]);
    expect(cut(sizes(...Array.from({ length: 2_500 }, () => 1))).map((batch) => batch.length)).toEqual([
      1_000, 1_000, 500,
    ]);
  });
});
