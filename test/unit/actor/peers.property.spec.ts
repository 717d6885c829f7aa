import fc from "fast-check";
import { Peers, type PeerState } from "../../../lib/actor/peers";
import { rendezvous } from "../../../lib/actor/rendezvous";
import { VirtualClock } from "../../support/virtual-clock";

const NODES = ["n1", "n2", "n3", "n4"];
const IDS = Array.from({ length: 20 }, (_, at) => `actor-${at}`);
const STATES: readonly PeerState[] = ["serving", "draining", "storeless"];

type Happening =
  | { readonly kind: "heard"; readonly node: string; readonly state: PeerState }
  | { readonly kind: "sentAway" | "gone" | "restarted" | "unreached" | "suspect"; readonly node: string }
  | { readonly kind: "pin"; readonly node: string; readonly id: string }
  | { readonly kind: "time"; readonly ms: number };

const node = fc.constantFrom(...NODES);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant("heard" as const), node, state: fc.constantFrom(...STATES) }),
  fc.record({ kind: fc.constantFrom("sentAway", "gone", "restarted", "unreached", "suspect" as const), node }),
  fc.record({ kind: fc.constant("pin" as const), node, id: fc.constantFrom(...IDS) }),
  fc.record({ kind: fc.constant("time" as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
);

/** It may be asked again when the shorter of the two is over. */
const SENT_AWAY_AND_LOST: Happening[] = [
  { kind: "sentAway", node: "n1" },
  { kind: "suspect", node: "n1" },
];

class World {
  readonly clock = new VirtualClock();
  readonly peers = new Peers({ clock: this.clock, ping: () => Promise.resolve(false) });

  async apply(event: Happening): Promise<void> {
    const { peers, clock } = this;
    if (event.kind === "heard") peers.heard(event.node, event.state);
    else if (event.kind === "pin") peers.pin(event.id, event.node, 2_000);
    else if (event.kind === "time") await clock.advance(event.ms);
    else await peers[event.kind](event.node);
  }
}

describe("homes, whatever is heard of the nodes", () => {
  it("are among the nodes; they serve while one does; only after all sent a call away there is none", async () => {
    const check = async (events: readonly Happening[], nodes: readonly string[]): Promise<void> => {
      const { peers, ...world } = await played(events);
      const serving = nodes.filter((each) => peers.anyServes([each]));
      for (const id of IDS) {
        const home = peers.home(id, nodes);
        if (serving.length > 0) expect(serving).toContain(home);
        else if (home !== undefined) expect(nodes).toContain(home);
      }
      await world.clock.advance(500);
      for (const id of IDS) expect(peers.home(id, nodes)).toBeDefined();
    };
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 40 }), fc.subarray(NODES, { minLength: 1 }), check),
      { numRuns: 300, examples: [[SENT_AWAY_AND_LOST, ["n1"]]] },
    );
  });

  it("are where rendezvous hashing puts them once everything is over", async () => {
    const check = async (events: readonly Happening[]): Promise<void> => {
      const world = await played(events);
      for (const each of NODES) world.peers.heard(each, "serving");
      await world.clock.advance(3_000);
      for (const id of IDS) expect(world.peers.home(id, NODES)).toBe(rendezvous(id, NODES));
    };
    await fc.assert(fc.asyncProperty(fc.array(happening, { maxLength: 40 }), check), { numRuns: 300 });
  });
});

async function played(events: readonly Happening[]): Promise<World> {
  const world = new World();
  for (const event of events) await world.apply(event);
  return world;
}
