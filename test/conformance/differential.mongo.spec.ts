import { openMongoStore } from "../../lib/store/mongo/store";
import { migrateForTest } from "../support/migrate";
import { freshDatabase, type MongoName, mongoNames } from "../support/servers";
import { DEFINITION, differentialSuite, type Material } from "./store.differential";

async function open(name: MongoName) {
  const database = freshDatabase(name);
  await migrateForTest(database.url, [DEFINITION]);
  const store = await openMongoStore({ uri: database.url });
  const close = async (): Promise<void> => {
    await store.close();
    await database.drop();
  };
  return { store, close };
}

/** A stand-in has faults of its own, which are not ours to find on some day or other. */
const SEED = 20_261_121;

/** Lists and objects are left out: filters of the port do not lead into them, MongoDB's do. */
const MATERIAL: Readonly<Record<MongoName, Material>> = {
  real: { nested: false, strange: true, booleans: true, writes: true, increments: true },
  // The Java server counts on from null as from 0.
  java: { nested: false, strange: false, booleans: true, writes: true, increments: false, seed: SEED },
  // With a limit our build sorts booleans among the numbers.
  ferret: { nested: false, strange: true, booleans: false, writes: false, increments: true, seed: SEED },
};

for (const name of mongoNames()) differentialSuite(`MongoDB (${name})`, () => open(name), MATERIAL[name]);
