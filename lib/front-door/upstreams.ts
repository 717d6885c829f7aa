import { Agent } from "node:http";
import { rendezvous } from "../actor/rendezvous";
import { tagIn, tagOf } from "./affinity";

/** A process behind the front door. */
export interface Target {
  /** Its node id. */
  readonly id: string;
  /** Which routes lead to it. */
  readonly group: string;
  readonly host: string;
  readonly port: number;
}

const MAX_IDLE_CONNECTIONS = 64;
const UNANSWERED_CHECKS = 2;

export class Upstream {
  readonly tag: string;
  readonly agent = new Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS, scheduling: "lifo" });
  /** Requests and tunnels that it serves now. */
  active = 0;
  lastUsed = 0;
  private healthy = true;
  private unanswered = 0;

  constructor(readonly target: Target) {
    this.tag = tagOf(target.id);
  }

  get up(): boolean {
    return this.healthy;
  }

  answered(ready: boolean): void {
    this.healthy = ready;
    this.unanswered = 0;
  }

  /** It refused a connection: nobody is there. */
  refused(): void {
    this.healthy = false;
  }

  /** It did not answer a check in time; a busy node may miss one. */
  silent(): void {
    if (++this.unanswered >= UNANSWERED_CHECKS) this.healthy = false;
  }
}

/** The processes behind a front door, and which of them is next. */
export class Upstreams {
  private readonly byId = new Map<string, Upstream>();
  private uses = 0;

  /** From now on the target gets its share. One of the same id is replaced; what that one serves goes on. */
  add(target: Target): void {
    this.remove(target.id);
    this.byId.set(target.id, new Upstream(target));
  }

  /** From now on the target gets nothing new; what it serves goes on. */
  remove(id: string): void {
    const upstream = this.byId.get(id);
    if (!upstream) return;
    this.byId.delete(id);
    destroyIdle(upstream.agent);
  }

  all(): Iterable<Upstream> {
    return this.byId.values();
  }

  close(): void {
    for (const { agent } of this.byId.values()) agent.destroy();
    this.byId.clear();
  }

  /**
   * The upstream of a group for the next request: the one that `id` names, else by its hash, else the least busy. When
   * none is healthy one that is not is tried: it explains itself better than we could.
   */
  pick(group: string, id: string | undefined, tried: ReadonlySet<Upstream>): Upstream | undefined {
    const left = [...this.byId.values()].filter((each) => each.target.group === group && !tried.has(each));
    const healthy = left.filter(({ up }) => up);
    const candidates = healthy.length > 0 ? healthy : left;
    const picked = (id === undefined ? undefined : named(id, candidates)) ?? leastBusy(candidates);
    if (picked) picked.lastUsed = ++this.uses;
    return picked;
  }
}

function named(id: string, candidates: readonly Upstream[]): Upstream | undefined {
  const tag = tagIn(id);
  const owner = candidates.find((each) => each.tag === tag);
  if (owner) return owner;
  const chosen = rendezvous(
    id,
    candidates.map(({ target }) => target.id),
  );
  return candidates.find(({ target }) => target.id === chosen);
}

const leastBusy = ([first, ...others]: readonly Upstream[]): Upstream | undefined =>
  others.reduce(
    (best, each) =>
      best && (each.active < best.active || (each.active === best.active && each.lastUsed < best.lastUsed))
        ? each
        : best,
    first,
  );

function destroyIdle({ freeSockets }: Agent): void {
  for (const sockets of Object.values(freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}
