import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { type ServerApi, type TestUser } from "../test/support/api";
import { startServer } from "../test/support/server";
import { until } from "../test/support/wait";
import { cpuMicros, Samples } from "./generator/stats";
import { Wire } from "./generator/wire";
import { pinned } from "./machine";
import type { Figures } from "./scenarios";
import type { Log } from "./search";
import { SERVER_CORE, TOKEN_SECONDS } from "./systems";

/** Sessions that wait, unless somebody wants fewer. */
export const WAITING = 10_000;
const AGENTS = 30;
const CLAIMS_PER_SECOND = 50;
const SECONDS = 20;
const TOPIC = "bench";
const AT_ONCE = 32;
const KILOBYTE = 1_024;
const SETTLE_MS = 20_000;

export const QUEUE_TITLE = `W9: ${AGENTS} agents follow a queue, and claim ${CLAIMS_PER_SECOND} sessions a second of it`;

/** A queue of so many sessions under claims, on one process: how long a claim takes, and what it costs each agent. */
export async function queueFigures(waiting: number, log: Log): Promise<Figures> {
  const server = await startServer({ env: { ACCESS_TOKEN_SECONDS: TOKEN_SECONDS }, prefix: pinned(SERVER_CORE) });
  try {
    log(`  ${waiting} customers open sessions`);
    const sessions = await openSessions(server, waiting);
    const agents = await server.users(AGENTS, ["agent"]);
    const desk = await Desk.open(server.port, agents);
    const before = cpuMicros(server.pid);
    const claims = Math.min(sessions.length, CLAIMS_PER_SECOND * SECONDS);
    await desk.claim(sessions.slice(0, claims));
    const cpu = cpuMicros(server.pid) - before;
    const figures = desk.figures(claims);
    desk.close();
    return [["sessions that wait", waiting], ...figures, ["CPU us of the server per claim", cpu / claims]];
  } finally {
    await server.stop();
  }
}

async function openSessions(server: ServerApi, count: number): Promise<string[]> {
  const open = async (): Promise<string> => {
    const { token } = await server.guest();
    const body = { commandId: crypto.randomUUID(), topic: TOPIC };
    return (await server.rest("POST", "/sessions", token, body)).expect<{ id: string }>(201).id;
  };
  const ids: string[] = [];
  while (ids.length < count) {
    const batch = Math.min(AT_ONCE, count - ids.length);
    ids.push(...(await Promise.all(Array.from({ length: batch }, open))));
  }
  return ids;
}

const SUBSCRIBE = JSON.stringify(["session.queue", { subscribe: true, topic: TOPIC }]);
const OK = Buffer.from('[{"ok":true');
const QUEUE = Buffer.from('["queue",');

/** The agents, each of whom follows the queue and counts what it costs. */
class Desk {
  private readonly wires: Wire[] = [];
  private readonly acks = new Samples();
  private readonly dueAt = new Map<number, number>();
  private bytes = 0;
  private frames = 0;
  private refused = 0;
  private snapshotBytes = 0;
  private snapshotMs = 0;
  private lastId = 0;

  static async open(port: number, agents: readonly TestUser[]): Promise<Desk> {
    const desk = new Desk();
    for (const [index, { token }] of agents.entries()) {
      desk.wires.push(
        await Wire.open(
          index,
          port,
          { token },
          {
            onAck: (_wire, id, buffer, from, to) => desk.answered(id, buffer, from, to),
            onEvent: (_wire, buffer, from, to) => desk.told(buffer, from, to),
            onLost: (_wire, reason) => {
              throw new Error(`an agent was disconnected: ${reason}`);
            },
          },
        ),
      );
    }
    for (const wire of desk.wires) await desk.subscribe(wire);
    return desk;
  }

  /** Agents take turns, at a steady rate; resolves when every claim is answered and told to all. */
  async claim(sessionIds: readonly string[]): Promise<void> {
    const start = performance.now();
    for (const [at, sessionId] of sessionIds.entries()) {
      const due = start + (at * 1_000) / CLAIMS_PER_SECOND;
      while (performance.now() < due) await pause(1);
      const id = ++this.lastId;
      this.dueAt.set(id, due);
      const params = { sessionId, commandId: crypto.randomUUID() };
      this.wires[at % this.wires.length]?.emit(id, JSON.stringify(["session.claim", params]));
    }
    await until("every claim is answered", () => this.dueAt.size === 0, SETTLE_MS);
    for (let frames = -1; frames !== this.frames; await pause(500)) frames = this.frames;
  }

  figures(claims: number): Figures {
    const each = AGENTS * claims;
    return [
      ["kB of a snapshot", this.snapshotBytes / KILOBYTE, 1],
      ["ms until it came", this.snapshotMs, 1],
      ["claims", claims],
      ["refused", this.refused],
      ["claim p50, ms", this.acks.quantile(0.5), 1],
      ["claim p99, ms", this.acks.quantile(0.99), 1],
      ["bytes pushed to each agent per claim", this.bytes / each, 1],
      ["frames to each agent per claim", this.frames / each, 2],
    ];
  }

  close(): void {
    for (const wire of this.wires) wire.close();
  }

  private async subscribe(wire: Wire): Promise<void> {
    const [id, start] = [++this.lastId, performance.now()];
    this.snapshotBytes = 0;
    wire.emit(id, SUBSCRIBE);
    await until("the snapshot has come", () => this.snapshotBytes > 0, SETTLE_MS);
    this.snapshotMs = performance.now() - start;
  }

  private answered(id: number, buffer: Buffer, from: number, to: number): void {
    const due = this.dueAt.get(id);
    const ok = buffer.subarray(from, from + OK.length).equals(OK);
    if (due === undefined) {
      if (!ok) throw new Error("an agent may not follow the queue");
      this.snapshotBytes = to - from;
      return;
    }
    this.dueAt.delete(id);
    this.acks.add(performance.now() - due);
    if (!ok) this.refused++;
  }

  private told(buffer: Buffer, from: number, to: number): void {
    if (!buffer.subarray(from, from + QUEUE.length).equals(QUEUE)) return;
    this.frames++;
    this.bytes += to - from;
  }
}
