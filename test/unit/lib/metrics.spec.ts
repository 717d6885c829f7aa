import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { Histogram, Registry } from "prom-client";
import { metricsByRole, metricsReference } from "../../../bin/metrics-reference";
import { systemClock } from "../../../lib/actor/ports";
import { readConfig } from "../../../lib/config";
import { MemoryKv } from "../../../lib/kv/memory";
import { Metrics } from "../../../lib/metrics";
import { createNode } from "../../../lib/node";
import { MemoryStore } from "../../../lib/store/memory";
import { until } from "../../support/wait";

const samplesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("metrics of a node", () => {
  let metrics: Metrics;
  beforeEach(() => (metrics = new Metrics()));
  afterEach(() => metrics.stop());

  const sampleOf = async (name: string): Promise<number> => {
    const line = samplesOf(await metrics.text()).find((sample) => sample.startsWith(`${name} `));
    return Number(line?.split(" ")[1]);
  };

  it("reads a plain number when it is asked, and counts it once", async () => {
    const counter = metrics.counter("bells_total", "Bells");
    counter.value += 3;
    expect(await sampleOf("bells_total")).toBe(3);
    counter.value++;
    expect(await sampleOf("bells_total")).toBe(4);
    expect(metrics.counter("bells_total", "Bells")).toBe(counter);
  });

  it("has a counter for each value of a label from the start", async () => {
    const bells = metrics.counters("bells_total", "Bells", "kind", ["big", "small"]);
    bells.small.value++;
    expect(samplesOf(await metrics.text())).toEqual(
      expect.arrayContaining(['bells_total{kind="big"} 0', 'bells_total{kind="small"} 1']),
    );
    expect(metrics.counters("bells_total", "Bells", "kind", ["big", "small"])).toBe(bells);
  });

  it("lets a later reader of a gauge replace the earlier one", async () => {
    metrics.gauge("height", "Height", () => 1);
    metrics.gauge("height", "Height", () => 2);
    expect(await sampleOf("height")).toBe(2);
  });

  it("counts values in a histogram as the library's own does", async () => {
    const value = fc.oneof(fc.double({ noNaN: true, min: 0, max: 20 }), fc.constantFrom(0, 1, 5, 10));
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 50 }), async (values) => {
        const own = new Metrics();
        const registry = new Registry();
        const theirs = new Histogram({ name: "weight", help: "Weight", buckets: [1, 5, 10], registers: [registry] });
        const ours = own.histogram("weight", "Weight", [1, 5, 10]);
        theirs.zero({});
        for (const each of values) {
          ours.observe(each);
          theirs.observe(each);
        }
        const lines = (await own.text()).split("\n").filter((line) => line.includes("weight"));
        own.stop();
        expect(lines).toEqual((await registry.metrics()).split("\n").filter((line) => line.includes("weight")));
      }),
    );
  });

  it("sees an event loop that was blocked, and no delay in one that was not", async () => {
    const slowest = async () => {
      const line = samplesOf(await metrics.text()).find((sample) => sample.includes('quantile="1"'));
      return Number(line?.split(" ")[1]);
    };
    await until("a measurement", async () => {
      await pause(30);
      return (await slowest()) < 0.1;
    });
    await pause(30);
    const end = Date.now() + 200;
    while (Date.now() < end);
    await pause(20);
    expect(await slowest()).toBeGreaterThan(0.15);
    await until("a quiet moment", async () => {
      await pause(30);
      return (await slowest()) < 0.1;
    });
  });
});

describe("docs/metrics.md", () => {
  it("is what `npm run generate` writes", async () => {
    const page = readFileSync(join(__dirname, "../../../docs/metrics.md"), "utf8");
    expect(page).toBe(await metricsReference());
  });

  it("has every metric of a running process, and no other", async () => {
    const node = await createNode({
      config: readConfig({ PORT: "0", LOG_LEVEL: "silent", ADMIN_PASSWORD: "metrics-metrics" }),
      store: new MemoryStore(),
      kv: new MemoryKv({ clock: systemClock }),
    });
    await node.start();
    const text = await (await fetch(`${node.url}/metrics`)).text();
    await node.stop();
    const running = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? "");
    const documented = [...(await metricsByRole()).values()].flat().map(({ name }) => name);
    expect(running.sort()).toEqual([...new Set(documented)].sort());
  });

  it("names metrics by Prometheus' rules, with a help and few labels", async () => {
    for (const { name, type, help, labels } of [...(await metricsByRole()).values()].flat()) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
      expect(help.length).toBeGreaterThan(5);
      for (const label of labels) expect(["type", "part", "job", "quantile"]).toContain(label);
    }
  });
});
