import { LocalCluster } from "../support/local-cluster";

it("makes all services of a node known to the others before it is ready", async () => {
  const cluster = await LocalCluster.start({ io: 1, core: 1 });
  try {
    await cluster.add("io", "io-2");
    for (const id of ["io-1", "core-1"]) {
      const services = cluster.node(id).broker.registry.getServiceList({ onlyAvailable: true });
      expect(services).toContainEqual(expect.objectContaining({ nodeID: "io-2", name: "io" }));
    }
  } finally {
    await cluster.stop();
  }
});
