import { performance } from "node:perf_hooks";
import { Ledger, type RoomPlan } from "./ledger";
import { cpuMicros, type Samples } from "./stats";
import { Wire, type WireHandlers } from "./wire";

/** A process whose CPU time is reported. */
export interface Charged {
  /** Processes of the same name are added up. */
  readonly name: string;
  readonly pid: number;
  /** Neither ours nor the peer's: a store or a broker, reported beside the sum. */
  readonly foreign?: boolean;
}

/** How a server is spoken to, where that differs from Parley's protocol. */
export interface Manner {
  /** What stands before the params of a message: `["message.send",`. */
  readonly send: string;
  /** How the arguments of an acknowledgement begin that tells of success. */
  readonly ok: string;
  /** A client that comes back may ask for what it missed, and repeat what was not acknowledged. */
  readonly recovers?: boolean;
}

export const PARLEY_MANNER: Manner = { send: '["message.send",', ok: '[{"ok":true', recovers: true };

export interface LoadPlan {
  /** Where to connect to; the connections are spread over them in turn. */
  readonly ports: readonly number[];
  /** Handshake `auth` of each connection. */
  readonly auths: readonly unknown[];
  readonly rooms: readonly RoomPlan[];
  readonly processes: readonly Charged[];
  readonly manner?: Manner;
}

/** What one step at one rate showed. Latencies in milliseconds, counted from when a message was due. */
export interface StepResult {
  /** Messages per second that fell due. */
  readonly rate: number;
  readonly sent: number;
  readonly refused: number;
  /** Answers, and deliveries of acknowledged messages, that did not come. */
  readonly lost: number;
  /** Events that came out of order or twice. */
  readonly disorder: number;
  readonly ack: Quantiles;
  readonly delivery: Quantiles;
  /** Acknowledgements in the rooms with a rate of their own. */
  readonly quiet: Quantiles;
  /** Messages acknowledged, and deliveries made, per second of the measured window. */
  readonly ackRate: number;
  readonly deliveryRate: number;
  /** CPU microseconds of the server's processes per message. */
  readonly cpuPerMessage: number;
  /** The same by name of process, the foreign ones too. */
  readonly cpuByProcess: Readonly<Record<string, number>>;
  /** Share of one core that the generator itself used. */
  readonly generatorLoad: number;
  readonly failure?: string;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

interface Stream {
  readonly rooms: readonly RoomPlan[];
  readonly rate: number;
  sent: number;
}

interface Reading {
  readonly at: number;
  readonly cpu: readonly number[];
  readonly acked: number;
  readonly delivered: number;
}

/** The text of every message: 200 bytes. */
const TEXT = "x".repeat(200);
const DRAIN_MS = 10_000;
/** A server that has just started loads every conversation with its first message. */
const PRIME_MS = 20_000;
const OPEN_ATTEMPTS = 20;
const OPEN_PAUSE_MS = 500;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const quantiles = (samples: Samples): Quantiles => ({ p50: samples.quantile(0.5), p99: samples.quantile(0.99) });

/** An open-loop load on a set of rooms: messages fall due by the clock, whatever the server does. */
export class Load {
  private readonly ledger: Ledger;
  private readonly manner: Manner;
  private readonly wires: Wire[] = [];
  private readonly turns = new Map<RoomPlan, number>();

  private constructor(private readonly plan: LoadPlan) {
    this.manner = plan.manner ?? PARLEY_MANNER;
    this.ledger = new Ledger(plan.rooms, this.manner.ok);
  }

  /** Connects everyone, 50 at a time, and waits until a first message reached every member of every room. */
  static async open(plan: LoadPlan): Promise<Load> {
    const load = new Load(plan);
    for (let from = 0; from < plan.auths.length; from += 50) {
      const slice = plan.auths.slice(from, from + 50);
      const opened = slice.map((auth, offset) => openAgain(from + offset, plan, auth, load.ledger));
      load.wires.push(...(await Promise.all(opened)));
    }
    await load.prime();
    return load;
  }

  close(): void {
    for (const wire of this.wires) wire.close();
  }

  /** Sends at `rate` a second for `seconds`, of which the first `warm` are not measured, and waits for what is owed. */
  async run(rate: number, seconds: number, warm: number): Promise<StepResult> {
    const start = performance.now();
    this.ledger.begin(start + warm * 1000);
    const cpu = process.cpuUsage();
    const [from, to] = await this.sendAll(rate, start, seconds, warm);
    const { user, system } = process.cpuUsage(cpu);
    const generatorLoad = (user + system) / 1000 / (performance.now() - start);
    await this.drain(DRAIN_MS);
    const { tally, sent, missing, failure } = this.ledger;
    const elapsed = (to.at - from.at) / 1000;
    const cpuByProcess = this.charge(from, to);
    return {
      rate,
      sent,
      refused: tally.refused,
      lost: missing,
      disorder: tally.disorder,
      ack: quantiles(tally.ack),
      delivery: quantiles(tally.delivery),
      quiet: quantiles(tally.quiet),
      ackRate: (to.acked - from.acked) / elapsed,
      deliveryRate: (to.delivered - from.delivered) / elapsed,
      cpuPerMessage: cpuByProcess.own,
      cpuByProcess: cpuByProcess.by,
      generatorLoad,
      ...(failure === undefined ? {} : { failure }),
    };
  }

  private async sendAll(rate: number, start: number, seconds: number, warm: number): Promise<[Reading, Reading]> {
    const streams = this.streams(rate);
    let from: Reading | undefined;
    for (let now = start; now < start + seconds * 1000 && !this.overloaded(rate); now = performance.now()) {
      if (now >= start + warm * 1000) from ??= this.reading();
      for (const stream of streams) this.sendDue(stream, start, now);
      await pause(1);
    }
    const to = this.reading();
    return [from ?? to, to];
  }

  private sendDue(stream: Stream, start: number, now: number): void {
    for (; stream.sent < ((now - start) * stream.rate) / 1000; stream.sent++) {
      const room = stream.rooms[stream.sent % stream.rooms.length];
      if (room) this.send(room, start + (stream.sent * 1000) / stream.rate);
    }
  }

  private streams(rate: number): Stream[] {
    const shared = this.plan.rooms.filter((room) => room.fixedRate === undefined);
    const fixed = this.plan.rooms.filter((room) => room.fixedRate !== undefined);
    return [
      { rooms: shared, rate, sent: 0 },
      ...fixed.map((room) => ({ rooms: [room], rate: room.fixedRate ?? 0, sent: 0 })),
    ];
  }

  private send(room: RoomPlan, due: number): void {
    const turn = this.turns.get(room) ?? 0;
    this.turns.set(room, turn + 1);
    const wire = this.wires[room.members[turn % room.members.length] ?? 0];
    const index = this.ledger.book(room, due);
    const command = `"conversationId":"${room.conversationId}","commandId":"${this.ledger.tag}-${index}"`;
    wire?.emit(index, `${this.manner.send}{${command},"text":"${TEXT}"}]`);
  }

  private reading(): Reading {
    const { acked, delivered } = this.ledger.tally;
    return { at: performance.now(), cpu: this.plan.processes.map(({ pid }) => cpuMicros(pid)), acked, delivered };
  }

  /** CPU microseconds per message between two readings: the server's own, and by name. */
  private charge(from: Reading, to: Reading): { own: number; by: Record<string, number> } {
    const messages = to.acked - from.acked;
    const by: Record<string, number> = {};
    let own = 0;
    for (const [at, { name, foreign }] of this.plan.processes.entries()) {
      const used = ((to.cpu[at] ?? Number.NaN) - (from.cpu[at] ?? Number.NaN)) / messages;
      by[name] = (by[name] ?? 0) + used;
      if (!foreign) own += used;
    }
    return { own, by };
  }

  /** A second's worth of messages without an answer: the rate is far beyond what the server takes. */
  private overloaded(rate: number): boolean {
    return this.ledger.unanswered > Math.max(rate, 500);
  }

  private async drain(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until && this.ledger.missing > 0) await pause(5);
  }

  private async prime(): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      this.ledger.begin(performance.now());
      for (const room of this.plan.rooms) this.send(room, performance.now());
      await this.drain(PRIME_MS);
      if (this.ledger.missing === 0 && this.ledger.tally.refused === 0) return;
    }
    const { sent, missing, failure } = this.ledger;
    throw new Error(
      `the rooms do not answer: ${missing} of ${sent} messages and their deliveries are missing; ${failure ?? ""}`,
    );
  }
}

/** Connects as a client does: again after a moment when it does not succeed. */
export async function openAgain(index: number, plan: LoadPlan, auth: unknown, handlers: WireHandlers): Promise<Wire> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await Wire.open(index, portOf(plan, index), auth, handlers);
    } catch (error) {
      if (attempt === OPEN_ATTEMPTS) throw error;
      await pause(OPEN_PAUSE_MS);
    }
  }
}

/** The port of a connection. */
export const portOf = ({ ports }: Pick<LoadPlan, "ports">, index: number): number => ports[index % ports.length] ?? 0;
