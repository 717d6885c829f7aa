import { MemoryStore } from "../../lib/store/memory";
import { freshSqliteStore } from "../support/sqlite";
import { statisticsSuite } from "./statistics.suite";

statisticsSuite("memory", () => Promise.resolve(new MemoryStore()));
statisticsSuite("sqlite", freshSqliteStore);
