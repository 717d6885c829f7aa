/**
 * A process to be killed: opens the store of the folder given, prints `open`, then inserts into eight streams at once
 * and prints the id of each document when it is acknowledged. Prints `locked` when the folder is in use.
 */
import { DataFolderLockedError, openSqliteStore } from "../../lib/store/sqlite/store";
import { LOG } from "./store.log";

async function run(folder: string, round: string): Promise<void> {
  const store = await openSqliteStore({ folder, readers: 1 });
  process.stdout.write("open\n");
  const log = store.collection(LOG);
  const insert = async (stream: string): Promise<never> => {
    for (let seq = 1; ; seq++) {
      const documents = [0, 1, 2].map((part) => ({ _id: `${stream}/${seq}/${part}`, stream, seq: seq * 3 + part }));
      await log.insertMany(documents);
      process.stdout.write(`${documents.map((document) => document._id).join("\n")}\n`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, i) => insert(`${round}-${i}`)));
}

run(process.argv[2] ?? "", process.argv[3] ?? "").catch((error: unknown) => {
  process.stdout.write(error instanceof DataFolderLockedError ? "locked\n" : `${String(error)}\n`);
});
