import { MemoryStore } from "../../lib/store/memory";
import type { Store } from "../../lib/store/collection";
import { freshSqliteStore } from "../support/sqlite";
import { topicsSuite } from "./topics.suite";

const twice = (store: Store): Store[] => [store, store];

topicsSuite("memory", () => Promise.resolve(twice(new MemoryStore())));
topicsSuite("sqlite", async () => twice(await freshSqliteStore()));
