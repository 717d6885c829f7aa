import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { WorkerChannel } from "../../../lib/store/sqlite/channel";
import type { Answer, Operation, Request } from "../../../lib/store/sqlite/protocol";
import { Writer } from "../../../lib/store/sqlite/writer";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-sqlite-"));
  file = join(folder, "parley.db");
});
afterEach(() => rm(folder, { recursive: true }));

const definitions = ["a", "b"].map((name) => ({ name, indexes: [] }));
const request = (id: number, operation: Operation, collection: string, text: string): Request => ({
  id,
  operation,
  collection,
  text,
});
const open = (answers: Answer[][], more: () => Request[] = () => []): Writer =>
  new Writer({ role: "write", file, definitions }, (answer) => void answers.push(answer), more);

describe("the writer", () => {
  it("answers everything that has arrived by one transaction, each for itself", () => {
    const answers: Answer[][] = [];
    const writer = open(answers);
    writer.handle([
      request(1, "insert", "a", '{"_id":"1"}\n{"_id":"2"}'),
      request(2, "insert", "a", '{"_id":"3"}\n{"_id":"1"}\n{"_id":"4"}'),
      request(3, "update", "b", "not JSON"),
      request(4, "insert", "none", '{"_id":"1"}'),
      request(5, "ping", "", ""),
    ]);
    writer.close();
    const outcomes = answers.map((group) => group.map(({ id, outcome }) => [id, Object.keys(outcome)[0]]));
    expect(outcomes).toEqual([
      [
        [1, "value"],
        [2, "duplicate"],
        [3, "error"],
        [4, "error"],
        [5, "value"],
      ],
    ]);
    const database = new DatabaseSync(file);
    expect(database.prepare("SELECT group_concat(_id, '') AS ids FROM c_a").get()).toEqual({ ids: "123" });
    database.close();
  });

  it("gives an unknown outcome to all of a transaction that fails, stores none of it, and goes on", () => {
    const answers: Answer[][] = [];
    const writer = open(answers);
    const database = new DatabaseSync(file);
    database.exec("DROP TABLE c_b");
    writer.handle([
      request(1, "insert", "a", '{"_id":"1"}'),
      request(2, "putNewer", "b", 'n\n{"_id":"1","n":1}'),
      request(3, "putNewer", "a", 'n\n{"_id":"2","n":1}'),
    ]);
    expect(answers.flat().map(({ id, outcome }) => [id, "error" in outcome])).toEqual([
      [1, true],
      [2, true],
      [3, true],
    ]);
    expect(database.prepare("SELECT count(*) AS n FROM c_a").get()).toEqual({ n: 0 });
    writer.handle([request(4, "insert", "a", '{"_id":"1"}')]);
    expect(answers.at(-1)).toEqual([{ id: 4, outcome: { value: "" } }]);
    writer.close();
    database.close();
  });

  it("takes in what arrives while it works in bulk", () => {
    const answers: Answer[][] = [];
    const arriving = [[request(2, "insert", "a", '{"_id":"x"}')]];
    const writer = open(answers, () => arriving.shift() ?? []);
    const lines = Array.from({ length: 5_000 }, (_, i) => `{"_id":"${i}","n":1}`);
    writer.handle([request(1, "putNewer", "a", ["n", ...lines].join("\n"))]);
    writer.close();
    expect(answers.flat().map((answer) => answer.id)).toEqual([2, 1]);
  });
});

describe("the channel to a thread", () => {
  it("rejects what is pending when the thread dies, and starts another for the next call", async () => {
    let place = join(folder, "missing", "parley.db");
    const channel = new WorkerChannel(() => ({ role: "write", file: place, definitions }));
    const lost = await Promise.allSettled([channel.call("ping"), channel.call("insert", "a", '{"_id":"1"}')]);
    expect(lost.map((result) => result.status)).toEqual(["rejected", "rejected"]);
    expect(lost[0]).toMatchObject({ reason: { name: "Error" } });

    place = file;
    await channel.call("insert", "a", '{"_id":"1"}');
    await expect(channel.call("insert", "a", '{"_id":"1"}')).rejects.toMatchObject({ name: "DuplicateKeyError" });
    await channel.close();
    await expect(channel.call("ping")).rejects.toThrow("closed");
  });
});
