/** A broker, or whatever else knows which nodes offer an action. Moleculer's is one, with `O` its endpoints. */
export interface Offering<O extends { readonly id: string } = { readonly id: string }> {
  readonly nodeID: string;
  readonly registry: {
    readonly actions: { get(name: string): { readonly endpoints: readonly O[] } | undefined };
  };
}

/** Who offers an action, as this node's registry knows; `id` is the node. */
export const offersOf = <O extends { readonly id: string }>({ registry }: Offering<O>, action: string): readonly O[] =>
  registry.actions.get(action)?.endpoints ?? NONE;

/** The other nodes that offer an action. */
export const othersOffering = (broker: Offering, action: string): string[] =>
  offersOf(broker, action).flatMap(({ id }) => (id === broker.nodeID ? [] : [id]));

const NONE: readonly never[] = [];
