import type { Kv } from "../../lib/kv/kv";
import type { Phase } from "../../lib/lifecycle";
import type { Store } from "../../lib/store/collection";

export interface Readiness {
  readonly ready: boolean;
  /** Each part and how it is: the node's phase, `up` or `down` for the others. */
  readonly parts: Readonly<Record<string, string>>;
}

export interface HealthPorts {
  readonly phase: () => Phase;
  readonly store: Pick<Store, "ping">;
  readonly kv: Pick<Kv, "ping">;
}

const PING_MS = 2_000;

/**
 * Tells whether this node should get traffic: started, not draining, and its document store answers. The key-value
 * store is reported and gates nothing, since losing it costs speed only. Concurrent questions share one look.
 */
export class Health {
  private looking: Promise<Readiness> | undefined;

  constructor(private readonly ports: HealthPorts) {}

  readiness(): Promise<Readiness> {
    this.looking ??= this.look().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async look(): Promise<Readiness> {
    const [store, kv] = await Promise.all([answers(this.ports.store), answers(this.ports.kv)]);
    const phase = this.ports.phase();
    const parts = { node: phase, store: store ? "up" : "down", kv: kv ? "up" : "down" };
    return { ready: phase === "ready" && store, parts };
  }
}

async function answers(port: { ping(): Promise<void> }): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), PING_MS);
  });
  const ping = port.ping().then(
    () => true,
    () => false,
  );
  return Promise.race([ping, late]).finally(() => clearTimeout(timer));
}
