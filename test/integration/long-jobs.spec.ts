import type { ServiceBroker } from "moleculer";
import { LocalCluster } from "../support/local-cluster";

/** What may take longer than an attempt: what the scheduler asks for, and a part of an import. */
const LONG = ["auth.purge", "bulk.import", "presence.sweep", "room.repair", "room.sweep", "statistics.audit"];

describe("a long step", () => {
  let cluster: LocalCluster;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ io: 1, core: 1 });
  });
  afterAll(() => cluster.stop());

  it.each(LONG)("%s is not asked for again while it runs: repeats would keep a slow store slow", (name) => {
    const broker: ServiceBroker = cluster.node("io-1").broker;
    const actions = broker.registry.getActionList({ onlyAvailable: true, withEndpoints: false });
    const found = actions.filter((each) => each.name === name);
    expect(found.map(({ action }) => (action as { repeats?: string }).repeats ?? "never")).toEqual(["never"]);
  });
});
