import { TokenBucket } from "../../lib/limits/token-bucket";
import type { ClientState } from "./client-socket";

/** A client may run this many seconds ahead of its rate. */
const BURST_SECONDS = 2;
/** Refused packets that are forgiven at once, and each second. */
const STRIKES = { burst: 200, perSecond: 10 };

export interface PacketRates {
  readonly perSocket: number;
  readonly perUser: number;
}

/** How many packets a client may send, and how often it may ignore that before it is cut off. */
export class PacketLimits {
  private readonly socket: TokenBucket;
  private readonly user: TokenBucket;
  private readonly strikes = new TokenBucket(STRIKES.perSecond, STRIKES.burst);

  constructor(rates: PacketRates) {
    this.socket = new TokenBucket(rates.perSocket, rates.perSocket * BURST_SECONDS);
    this.user = new TokenBucket(rates.perUser, rates.perUser * BURST_SECONDS);
  }

  fill(now: number, shared?: ClientState["userPackets"]): Pick<ClientState, "packets" | "userPackets" | "strikes"> {
    return {
      packets: this.socket.fill(now),
      userPackets: shared ?? this.user.fill(now),
      strikes: this.strikes.fill(now),
    };
  }

  /** 0 when one more packet is granted, else the milliseconds to wait. */
  take(state: ClientState, now: number): number {
    return this.socket.take(state.packets, now) || this.user.take(state.userPackets, now);
  }

  /** Counts a refused packet; true when the client has ignored the limit for too long. */
  strike(state: ClientState, now: number): boolean {
    return this.strikes.take(state.strikes, now) > 0;
  }
}
