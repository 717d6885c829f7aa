import { DatabaseSync } from "node:sqlite";
import { systemClock, systemMonotonic } from "../../../lib/actor/system";
import { DueScan } from "../../../lib/scheduling/due-scan";
import type { Collection } from "../../../lib/store/collection";
import { parseFilter } from "../../../lib/store/filter";
import { select } from "../../../lib/store/sqlite/query";
import { Statements, Table } from "../../../lib/store/sqlite/table";
import { type TimerRow, TIMERS } from "../../../services/timers";

const ROWS = 100_000;
const NOW = Date.now();
const DAY = 86_400_000;

/** SQLite's statements, and what was asked of them. */
class Told extends Statements {
  readonly asked = new Set<string>();

  override get(sql: string) {
    this.asked.add(sql);
    return super.get(sql);
  }

  /** How SQLite goes about what was asked. */
  get plans(): string[] {
    const values = (sql: string): number[] => [...sql].filter((char) => char === "?").map(() => 1);
    return [...this.asked].flatMap((sql) =>
      this.database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...values(sql))
        .map(({ detail }) => String(detail)),
    );
  }
}

describe("a hundred thousand timers", () => {
  const database = new DatabaseSync(":memory:");
  const table = new Table(TIMERS);
  const statements = new Told(database);
  let reads: number[];

  const find: Collection<TimerRow>["find"] = (filter, options = {}) => {
    const found = select(statements, table, parseFilter(filter), options);
    reads.push(found.length);
    return Promise.resolve(found.map(({ doc }) => JSON.parse(doc) as TimerRow));
  };
  const scan = async (): Promise<number> => {
    let acted = 0;
    reads = [];
    const act = (): Promise<void> => Promise.resolve(void acted++);
    const ports = { clock: systemClock, monotonic: systemMonotonic };
    await new DueScan<TimerRow>({ collection: { find }, field: "dueAt", act, ...ports }).run({ live: () => true });
    return acted;
  };
  const insert = (count: number, dueAt: (i: number) => number): void => {
    database.exec("BEGIN");
    for (let i = 0; i < count; i++) {
      const row = { _id: `s${i}/${dueAt(i)}`, conversationId: `s${i}`, dueAt: dueAt(i) };
      statements.get(table.insertSql).run(row._id, JSON.stringify(row), ...table.keys(row));
    }
    database.exec("COMMIT");
  };

  beforeAll(() => {
    table.create(database);
    insert(ROWS, (i) => NOW + DAY + i);
    statements.asked.clear();
  });
  afterAll(() => database.close());

  it("cost one read of nothing while they wait", async () => {
    expect(await scan()).toBe(0);
    expect(reads).toEqual([0]);
  });

  it("cost one read of one row when one of them is due", async () => {
    insert(1, () => NOW - 1);
    expect(await scan()).toBe(1);
    expect(reads).toEqual([1]);
  });

  it("are read a page at a time when many are due, in the order of their index", async () => {
    insert(1_200, (i) => NOW - 2_000 + Math.floor(i / 700));
    expect(await scan()).toBe(1_201);
    expect(reads).toEqual([500, 500, 201]);
    const selects = [...statements.asked].filter((sql) => sql.startsWith("SELECT"));
    expect(selects.length).toBeGreaterThan(1);
    const plans = statements.plans.filter((plan) => !plan.startsWith("INSERT"));
    expect(plans.filter((plan) => !/^SEARCH "?c_timers"? USING INDEX .*dueAt/.test(plan))).toEqual([]);
  });
});
