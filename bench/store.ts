/**
 * Measures the SQLite store alone: inserts of log documents of about 400 bytes in batches of 50 and 200, one batch in
 * flight, as the group-commit writer does; then the same beside projections four times a second, and reads of history
 * pages. Prints documents per second, CPU of the main thread and of the whole process per document, and latencies.
 *
 *     node --require tsx/cjs bench/store.ts [seconds per run] [folder]
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVENTS } from "../actors/conversation/conversation.store";
import { systemRandom } from "../lib/actor/system";
import type { Collection, CollectionDefinition, Document } from "../lib/store/collection";
import { openSqliteStore } from "../lib/store/sqlite/store";

const SNAPSHOTS: CollectionDefinition = { name: "snapshots", indexes: [{ fields: { kind: 1, lastSeq: 1 } }] };

const CONVERSATIONS = 500;
let made = 0;

function event(flush: number): Document {
  const n = made++;
  const conversation = n % CONVERSATIONS;
  const seq = Math.floor(n / CONVERSATIONS) + 1;
  return {
    _id: systemRandom.id(),
    conversationId: `conversation-${conversation}`,
    seq,
    prevSeq: { all: seq - 1, staff: seq - 1 },
    by: `user-${conversation * 2 + (seq % 2)}`,
    commandId: randomUUID(),
    type: "message.created",
    at: 1_700_000_000_000 + n,
    audience: "all",
    data: { text: "x".repeat(100) },
    request: "0123456789abcdef",
    incarnation: "node-1-abcdef",
    flush,
  } as Document;
}

interface Figures {
  readonly run: string;
  readonly "docs/s": number;
  readonly "main us/doc": number;
  readonly "process us/doc": number;
  readonly "p50 ms": number;
  readonly "p99 ms": number;
  readonly "max ms": number;
}

/** A step is prepared, which is not measured, then run; it answers how many documents it moved. */
type Step = () => () => Promise<number>;

/** Repeats a step until it has run for so many milliseconds. */
async function measure(run: string, ms: number, step: Step): Promise<Figures> {
  const times: number[] = [];
  const mainUsed = { user: 0, system: 0 };
  const allUsed = { user: 0, system: 0 };
  let documents = 0;
  let elapsed = 0;
  while (elapsed < ms) {
    const prepared = step();
    const [main, all, from] = [process.threadCpuUsage(), process.cpuUsage(), performance.now()];
    documents += await prepared();
    const time = performance.now() - from;
    add(mainUsed, process.threadCpuUsage(main));
    add(allUsed, process.cpuUsage(all));
    elapsed += time;
    times.push(time);
  }
  const seconds = elapsed / 1_000;
  times.sort((a, b) => a - b);
  const at = (share: number): number => round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
  return {
    run,
    "docs/s": Math.round(documents / seconds),
    "main us/doc": round((mainUsed.user + mainUsed.system) / documents),
    "process us/doc": round((allUsed.user + allUsed.system) / documents),
    "p50 ms": at(0.5),
    "p99 ms": at(0.99),
    "max ms": at(1),
  };
}

function add(total: NodeJS.CpuUsage, used: NodeJS.CpuUsage): void {
  total.user += used.user;
  total.system += used.system;
}

const round = (value: number): number => Math.round(value * 100) / 100;

function insertsOf(events: Collection<Document>, size: number): Step {
  let flush = 0;
  return () => {
    flush++;
    const documents = Array.from({ length: size }, () => event(flush));
    return () => events.insertMany(documents).then(() => size);
  };
}

/** Puts a thousand snapshots every 250 ms while `run` runs. */
async function beside<T>(snapshots: Collection<Document>, run: () => Promise<T>): Promise<T> {
  let lastSeq = 0;
  const put = async (): Promise<void> => {
    lastSeq++;
    const documents = Array.from({ length: 1_000 }, (_, i) => ({
      _id: `conversation-${i}`,
      kind: "group",
      lastSeq,
      members: Array.from({ length: 20 }, (__, j) => `user-${j}`),
    }));
    await snapshots.putNewer(documents, "lastSeq" as keyof Document);
  };
  const timer = setInterval(() => void put(), 250);
  const result = await run();
  clearInterval(timer);
  return result;
}

async function main(): Promise<void> {
  const ms = Number(process.argv[2] ?? 5) * 1_000;
  const folder = process.argv[3] ?? (await mkdtemp(join(tmpdir(), "parley-bench-")));
  const store = await openSqliteStore({ folder });
  const events = store.collection<Document>(EVENTS);
  const snapshots = store.collection<Document>(SNAPSHOTS);
  const page: Step = () => async () => {
    const filter = { conversationId: `conversation-${made++ % CONVERSATIONS}`, seq: { $lte: 1_000 } };
    return (await events.find(filter, { sort: { seq: -1 }, limit: 50 })).length;
  };
  await measure("warm-up", 1_000, insertsOf(events, 50));
  const figures = [await measure("batches of 1", ms, insertsOf(events, 1))];
  figures.push(await measure("batches of 50", ms, insertsOf(events, 50)));
  figures.push(await measure("batches of 200", ms, insertsOf(events, 200)));
  figures.push(await beside(snapshots, () => measure("50 beside projections", ms, insertsOf(events, 50))));
  figures.push(await measure("pages of 50", ms, page));
  process.stdout.write(`Node ${process.version}, ${made} documents\n`);
  console.table(figures);
  await store.close();
  if (!process.argv[3]) await rm(folder, { recursive: true });
}

void main();
