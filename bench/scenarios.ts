import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { Journal } from "./generator/journal";
import type { LoadPlan } from "./generator/load";
import { openAgain, PARLEY_MANNER, portOf } from "./generator/load";
import { Roamer } from "./generator/roamer";
import { cpuMicros, Samples } from "./generator/stats";
import type { Wire, WireHandlers } from "./generator/wire";
import type { Log } from "./search";

/** Rows of a table: a title and a figure. */
export type Figures = ReadonlyArray<readonly [string, number, digits?: number]>;

/** A server under a scenario: the plan, and what can be killed. */
export interface Subject {
  readonly plan: LoadPlan;
  /** Ends the process behind the second port with SIGKILL. */
  readonly kill: () => void;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** Socket processes that it needs. */
  readonly sockets: number;
  readonly run: (subject: Subject, log: Log) => Promise<Figures>;
}

const TEXT = "x".repeat(200);
const KILOBYTE = 1_024;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const JITTER = { seconds: 60, perRoom: 2, everyMs: 15_000, offlineMs: 2_000, quietMs: 20_000 };
const AVALANCHE = { connections: 5_000, perSecond: 200, calmMs: 5_000, mostMs: 90_000 };
const IDLE = { connections: 10_000, settleMs: 10_000, watchMs: 20_000 };

export const SCENARIOS: readonly Scenario[] = [
  { id: "W3", title: "W3: 1,000 clients, each reset every 15 s and 2 s offline", sockets: 1, run: jitter },
  { id: "W4", title: "W4: 5,000 clients, one of two socket processes killed", sockets: 2, run: avalanche },
  { id: "W5", title: "W5: 10,000 idle connections", sockets: 1, run: idle },
];

async function jitter({ plan }: Subject): Promise<Figures> {
  const journal = new Journal();
  const replays = new Samples();
  const roamers = roamersOf(plan, plan.auths.length, journal, (index) => portOf(plan, index), replays);
  await connectAll(roamers);
  await settled(journal);
  const dropping = roamers.map((roamer, index) => dropAgainAndAgain(roamer, index / roamers.length));
  await sendFor(JITTER.seconds * 1_000, plan.rooms.length * JITTER.perRoom, (at) => senderOf(plan, roamers, at));
  await Promise.all(dropping);
  await settled(journal);
  for (const roamer of roamers) roamer.close();
  const result = journal.result();
  return [
    ["messages sent", result.sent],
    ["acknowledged", result.acked],
    ["delivered of the acknowledged, %", result.deliveredPercent, 3],
    ["duplicates", result.duplicates],
    ["order violations", result.disorder],
    ["replay p50, ms", replays.quantile(0.5), 0],
    ["replay p99, ms", replays.quantile(0.99), 0],
  ];
}

async function dropAgainAndAgain(roamer: Roamer, phase: number): Promise<void> {
  const end = performance.now() + JITTER.seconds * 1_000;
  await pause(phase * JITTER.everyMs);
  while (performance.now() < end) {
    await roamer.drop(JITTER.offlineMs);
    await pause(JITTER.everyMs - JITTER.offlineMs);
  }
}

async function avalanche({ plan, kill }: Subject, log: Log): Promise<Figures> {
  const journal = new Journal(AVALANCHE.connections / plan.auths.length);
  const replays = new Samples();
  let killed = false;
  const roamers = roamersOf(
    plan,
    AVALANCHE.connections,
    journal,
    (index) => (killed ? (plan.ports[0] ?? 0) : portOf(plan, index)),
    replays,
  );
  await connectAll(roamers);
  log(`  ${AVALANCHE.connections} connected`);
  const victims = roamers.filter((_, index) => portOf(plan, index) !== plan.ports[0]);
  const others = roamers.filter((_, index) => portOf(plan, index) === plan.ports[0]);
  let over = false;
  const sending = sendFor(
    AVALANCHE.mostMs,
    AVALANCHE.perSecond,
    (at) => others[at % others.length],
    () => over,
  );
  await pause(AVALANCHE.calmMs);
  killed = true;
  kill();
  const back = await returned(victims);
  over = true;
  await sending;
  await settled(journal);
  for (const roamer of roamers) roamer.close();
  const result = journal.result();
  return [
    ["95 % back, ms", back.most, 0],
    ["100 % back, ms", back.all, 0],
    ["ack p99 of the others, ms", journal.ack.quantile(0.99), 1],
    ["messages sent by the others", result.sent],
    ["acknowledged", result.acked],
    ["delivered of the acknowledged, %", result.deliveredPercent, 3],
    ["replay p99, ms", replays.quantile(0.99), 0],
  ];
}

/** Milliseconds until 95 % and all were connected again; NaN when that did not happen. */
interface Back {
  readonly most: number;
  readonly all: number;
}

async function returned(victims: readonly Roamer[]): Promise<Back> {
  const start = performance.now();
  await pause(1_000);
  let most = Number.NaN;
  while (performance.now() - start < AVALANCHE.mostMs) {
    const share = victims.filter(({ connected }) => connected).length / victims.length;
    if (share >= 0.95 && Number.isNaN(most)) most = performance.now() - start;
    if (share === 1) return { most, all: performance.now() - start };
    await pause(20);
  }
  return { most, all: Number.NaN };
}

async function idle({ plan }: Subject): Promise<Figures> {
  const own = plan.processes.filter(({ foreign }) => !foreign).map(({ pid }) => pid);
  const sum = (read: (pid: number) => number): number => own.reduce((total, pid) => total + read(pid), 0);
  const ignore = { onAck: () => undefined, onEvent: () => undefined, onLost: () => undefined };
  // The first connections warm what every later one shares.
  const wires = await openWires(plan, 0, 1_000, ignore);
  await pause(IDLE.settleMs);
  const before = sum(residentBytes);
  wires.push(...(await openWires(plan, 1_000, IDLE.connections, ignore)));
  await pause(IDLE.settleMs);
  const used = sum(cpuMicros);
  await pause(IDLE.watchMs);
  const perConnection = (sum(residentBytes) - before) / (IDLE.connections - 1_000);
  const cpu = (sum(cpuMicros) - used) / (IDLE.watchMs / 1_000) / IDLE.connections;
  for (const wire of wires) wire.close();
  return [
    ["connections", IDLE.connections],
    ["kB of resident memory per connection", perConnection / KILOBYTE, 1],
    ["CPU us per second and connection", cpu, 1],
  ];
}

async function openWires(plan: LoadPlan, from: number, to: number, handlers: WireHandlers) {
  const wires: Wire[] = [];
  for (let first = from; first < to; first += 50) {
    const slice = Array.from({ length: Math.min(50, to - first) }, (_, offset) => first + offset);
    const auth = (index: number): unknown => plan.auths[index % plan.auths.length];
    wires.push(...(await Promise.all(slice.map((at) => openAgain(at, plan, auth(at), handlers)))));
  }
  return wires;
}

/** Clients 0 to count-1: client i is user i modulo the users, in that user's room. */
function roamersOf(
  plan: LoadPlan,
  count: number,
  journal: Journal,
  port: (index: number) => number,
  replays: Samples,
): Roamer[] {
  const roomOf = new Map(plan.rooms.flatMap((room) => room.members.map((member) => [member, room] as const)));
  return Array.from({ length: count }, (_, index) => {
    const user = index % plan.auths.length;
    const room = roomOf.get(user);
    if (!room) throw new Error(`user ${user} is in no room`);
    return new Roamer({
      index,
      auth: plan.auths[user],
      room,
      journal,
      manner: plan.manner ?? PARLEY_MANNER,
      port: () => port(index),
      caughtUp: (ms) => replays.add(ms),
    });
  });
}

async function connectAll(roamers: readonly Roamer[]): Promise<void> {
  for (let from = 0; from < roamers.length; from += 50)
    await Promise.all(roamers.slice(from, from + 50).map((roamer) => roamer.connect()));
}

/** Sends `perSecond` messages for `ms`, or until `ended`. */
async function sendFor(
  ms: number,
  perSecond: number,
  sender: (at: number) => Roamer | undefined,
  ended: () => boolean = () => false,
): Promise<void> {
  const start = performance.now();
  for (let sent = 0, now = start; now < start + ms && !ended(); now = performance.now()) {
    for (; sent < ((now - start) * perSecond) / 1_000; sent++) sender(sent)?.send(TEXT);
    await pause(2);
  }
}

function senderOf(plan: LoadPlan, roamers: readonly Roamer[], at: number): Roamer | undefined {
  const room = plan.rooms[at % plan.rooms.length];
  const turn = Math.floor(at / plan.rooms.length);
  return roamers[room?.members[turn % room.members.length] ?? 0];
}

/** Waits until everything acknowledged is delivered and nothing is unanswered, or until it no longer changes. */
async function settled(journal: Journal): Promise<void> {
  const end = performance.now() + JITTER.quietMs;
  while (performance.now() < end && journal.missing + journal.unanswered > 0) await pause(50);
}

function residentBytes(pid: number): number {
  const [, kilobytes = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * KILOBYTE;
}
