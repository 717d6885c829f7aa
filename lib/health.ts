import { lifecycleOf, type Phase } from "./lifecycle";
import { perBroker } from "./per-broker";
import { type Vitals, vitalsOf } from "./vitals";

export interface Readiness {
  readonly ready: boolean;
  /** Each part and how it is: the node's phase, `up` or `down` for the others. */
  readonly parts: Readonly<Record<string, string>>;
}

export interface HealthPorts {
  readonly phase: () => Phase;
  readonly vitals: Pick<Vitals, "look">;
}

/**
 * Tells whether this node should get traffic: started, not draining, and broker and document store answer. The
 * key-value store is reported and gates nothing, since losing it costs speed only. Concurrent questions share one look.
 */
export class Health {
  private looking: Promise<Readiness> | undefined;

  constructor(private readonly ports: HealthPorts) {}

  readiness(): Promise<Readiness> {
    this.looking ??= this.look().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async look(): Promise<Readiness> {
    const parts = await this.ports.vitals.look();
    const phase = this.ports.phase();
    return {
      ready: phase === "ready" && parts.store === "up" && parts.broker === "up",
      parts: { node: phase, ...parts },
    };
  }
}

/** The health of a broker's node, one for all who ask. */
export const healthOf = perBroker((broker) => {
  const lifecycle = lifecycleOf(broker);
  return new Health({ phase: () => lifecycle.phase, vitals: vitalsOf(broker) });
});
