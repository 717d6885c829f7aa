import type { Clock } from "../../lib/actor/ports";
import { type ConnectionRef, RENEW_MS, type Report } from "../presence/presence.internal";
import type { ClientSocket } from "./client-socket";
import type { Connections } from "./connections";

export interface PresenceReporterPorts {
  readonly clock: Clock;
  readonly connections: Pick<Connections, "all" | "get">;
  /** This io node. */
  readonly node: string;
  report(report: Report): Promise<unknown>;
  /** A report was lost; it is made again. */
  failed(error: unknown): void;
  worked(): void;
}

type Reported = Pick<ClientSocket, "id" | "data">;

const PAGE = 500;
const TICK_MS = 1_000;
const RETRY_MS = 1_000;
/** A tick that comes so late means that the process was stopped, and its connections perhaps given up. */
const PAUSE_MS = 5_000;
/** Closed sockets that wait to be reported; of more, the leases run out. */
const MAX_CLOSED = 100_000;

/**
 * Tells the presence service which sockets this node has. Reports are made one after the other, so that none that says
 * a socket is open comes after the one that says it is closed. Nothing waits for them.
 */
export class PresenceReporter {
  private cancelTick: (() => void) | undefined;
  private cancelRetry: (() => void) | undefined;
  private ticks = 0;
  private tickedAt = 0;
  private reporting = false;
  private stopped = false;
  private readonly opened = new Map<string, ConnectionRef>();
  private readonly closed = new Map<string, ConnectionRef>();

  constructor(private readonly ports: PresenceReporterPorts) {}

  start(): void {
    this.tickedAt = this.ports.clock.now();
    this.tickLater();
  }

  stop(): void {
    this.stopped = true;
    this.cancelTick?.();
    this.cancelRetry?.();
  }

  connected(socket: Reported): void {
    this.opened.set(socket.id, refOf(socket));
    this.reportSoon();
  }

  disconnected(socket: Reported): void {
    this.opened.delete(socket.id);
    if (this.closed.size < MAX_CLOSED) this.closed.set(socket.id, refOf(socket));
    this.reportSoon();
  }

  /** Reports every open socket: regularly, and when somebody may have lost track of them. */
  renewAll(): void {
    this.ticks = 0;
    for (const socket of this.ports.connections.all()) this.opened.set(socket.id, refOf(socket));
    this.reportSoon();
  }

  /** Counts ticks instead of comparing times: a clock that is set back must not stop the renewals. */
  private tickLater(): void {
    this.cancelTick = this.ports.clock.setTimeout(() => {
      const now = this.ports.clock.now();
      const pausedMs = now - this.tickedAt - TICK_MS;
      this.tickedAt = now;
      if (++this.ticks * TICK_MS >= RENEW_MS || pausedMs > PAUSE_MS) this.renewAll();
      this.tickLater();
    }, TICK_MS);
  }

  private reportSoon(): void {
    if (!this.reporting && !this.cancelRetry && !this.stopped) void this.reportAll();
  }

  private async reportAll(): Promise<void> {
    this.reporting = true;
    let delivered = true;
    while (delivered && this.opened.size + this.closed.size > 0) delivered = await this.report();
    this.reporting = false;
    if (!delivered) this.retryLater();
  }

  private async report(): Promise<boolean> {
    const opened = take(this.opened);
    const closed = take(this.closed);
    try {
      await this.ports.report({ node: this.ports.node, opened, closed });
      this.ports.worked();
      return true;
    } catch (error) {
      for (const ref of opened) if (this.ports.connections.get(ref.id)) this.opened.set(ref.id, ref);
      for (const ref of closed) this.closed.set(ref.id, ref);
      if (!this.stopped) this.ports.failed(error);
      return false;
    }
  }

  private retryLater(): void {
    if (this.stopped) return;
    this.cancelRetry = this.ports.clock.setTimeout(() => {
      this.cancelRetry = undefined;
      this.reportSoon();
    }, RETRY_MS);
  }
}

/** Takes up to a page of entries out. */
function take(refs: Map<string, ConnectionRef>): ConnectionRef[] {
  const page: ConnectionRef[] = [];
  for (const [id, ref] of refs) {
    if (page.length === PAGE) break;
    page.push(ref);
    refs.delete(id);
  }
  return page;
}

const refOf = (socket: Reported): ConnectionRef => ({ userId: socket.data.user.id, id: socket.id });
