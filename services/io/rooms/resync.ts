import type { Clock } from "../../../lib/actor/ports";
import { pause } from "../../../lib/actor/time";
import type { Connection } from "./local-sockets";
import type { Room } from "./room";

export interface ResyncPorts {
  readonly clock: Clock;
  rooms(): Iterable<Room>;
  connections(): Iterable<Connection>;
  /** Joins the socket to the conversations of its user that it is not in. */
  rejoin(connection: Connection): Promise<void>;
}

/** Rooms brought to their head at once: one read of the log, mostly. */
const ROOMS_AT_ONCE = 50;
const CONNECTIONS_AT_ONCE = 10;
/** Between two lots of connections: memberships are one read each, and mostly nothing was missed. */
const REST_MS = 50;

/**
 * Makes good what nobody can name: every room to the head of its log, then every socket into the conversations of its
 * user. In small lots, so that the joins and holes of the hour do not wait behind it and core nodes are not stormed; one
 * pass at a time, and one more for whatever was missed since it began.
 */
export class Resync {
  private running = false;
  private again = false;
  private stopped = false;

  constructor(private readonly ports: ResyncPorts) {}

  /** Begins a pass, now or after the one that is under way. */
  begin(): void {
    this.again = true;
    if (!this.running) void this.run();
  }

  stop(): void {
    this.stopped = true;
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.again && !this.stopped) {
      this.again = false;
      for (const lot of this.lots(this.ports.rooms(), ROOMS_AT_ONCE)) {
        await Promise.all(lot.map((room) => room.fill(0)));
      }
      for (const lot of this.lots(this.ports.connections(), CONNECTIONS_AT_ONCE)) {
        const open = lot.filter((connection) => connection.open);
        await Promise.all(open.map((connection) => this.ports.rejoin(connection)));
        await pause(this.ports.clock, REST_MS);
      }
    }
    this.running = false;
  }

  /** Whatever is there now, in lots; none any more once this is stopped. */
  private *lots<T>(all: Iterable<T>, size: number): Iterable<readonly T[]> {
    const left = [...all];
    while (left.length > 0 && !this.stopped) yield left.splice(0, size);
  }
}
