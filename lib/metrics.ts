import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, type Metric, Registry } from "prom-client";
import { perBroker } from "./per-broker";
import { PlainHistogram } from "./plain-histogram";

/** Counts upwards: add to `value`, it is read when somebody scrapes. */
export interface PlainCounter {
  value: number;
}

/** What a metric is, for a reference page. */
export interface MetricInfo {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

const LOOP_RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;
const MS_PER_SECOND = 1_000;
const US_PER_SECOND = 1e6;
const START_SECONDS = performance.timeOrigin / MS_PER_SECOND;

interface Labelled {
  readonly labels?: Readonly<Record<string, unknown>>;
}

/**
 * The metrics of one node, in Prometheus' text format. What is on a hot path is a plain number that is collected on
 * scrape. There are no labels by user or by anything else whose number is not bounded.
 */
export class Metrics {
  private readonly registry = new Registry();
  private readonly singles = new Map<string, PlainCounter>();
  private readonly families = new Map<string, Readonly<Record<string, PlainCounter>>>();
  private readonly histograms = new Map<string, PlainHistogram>();
  private readonly loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });

  constructor() {
    this.loop.enable();
    this.addLoopDelay();
    this.addProcess();
  }

  /** A counter; the same one for the same name. Names end in `_total`. */
  counter(name: string, help: string): PlainCounter {
    const known = this.singles.get(name);
    if (known) return known;
    const plain: PlainCounter = { value: 0 };
    this.singles.set(name, plain);
    this.addCounter(name, help, () => plain.value);
    return plain;
  }

  /** A value that is read on scrape; a later reader of the same name replaces the earlier one. */
  gauge(name: string, help: string, read: () => number): void {
    this.registry.removeSingleMetric(name);
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /**
   * Counters of one name, one for each of these values of a label; the same ones for the same name. Values are few and
   * known from the start.
   */
  counters<V extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly V[],
  ): Readonly<Record<V, PlainCounter>> {
    let family = this.families.get(name);
    if (!family) {
      family = Object.fromEntries(values.map((value) => [value, { value: 0 }]));
      this.families.set(name, family);
      this.addCounters(name, help, label, family);
    }
    return family as Readonly<Record<V, PlainCounter>>;
  }

  /** Values that are read on scrape, one for each of these values of a label. */
  gauges<V extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly V[],
    read: (value: V) => number,
  ): void {
    this.registry.removeSingleMetric(name);
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        for (const value of values) this.set({ [label]: value }, read(value));
      },
    });
  }

  /** A histogram with these upper bounds, ascending; the same one for the same name. */
  histogram(name: string, help: string, bounds: readonly number[]): Pick<PlainHistogram, "observe"> {
    let histogram = this.histograms.get(name);
    if (!histogram) {
      histogram = new PlainHistogram(name, help, bounds);
      this.histograms.set(name, histogram);
      this.registry.registerMetric(histogram as unknown as Metric);
    }
    return histogram;
  }

  /** Every metric of this node, by name. */
  async describe(): Promise<readonly MetricInfo[]> {
    const metrics = await this.registry.getMetricsAsJSON();
    const infos = metrics.map(({ name, help, type, values }) => {
      const labels = new Set((values as readonly Labelled[]).flatMap((value) => Object.keys(value.labels ?? {})));
      labels.delete("le");
      return { name, help, type: String(type), labels: [...labels] };
    });
    return infos.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  stop(): void {
    this.loop.disable();
    this.registry.clear();
  }

  private addCounter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  private addCounters(name: string, help: string, label: string, family: Readonly<Record<string, PlainCounter>>): void {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [value, counter] of Object.entries(family)) this.inc({ [label]: value }, counter.value);
      },
    });
  }

  /** What is measured is the time from one timer to the next: what is beyond the timer's own time is delay. */
  private addLoopDelay(): void {
    const { loop } = this;
    new Gauge({
      name: "nodejs_eventloop_delay_seconds",
      help: "Delay of the event loop since the last scrape, by quantile",
      labelNames: ["quantile"],
      registers: [this.registry],
      collect() {
        for (const quantile of [50, 90, 99, 100]) {
          const ms = loop.percentile(quantile) / NS_PER_MS - LOOP_RESOLUTION_MS;
          this.set({ quantile: String(quantile / 100) }, Math.max(0, ms) / MS_PER_SECOND);
        }
        loop.reset();
      },
    });
  }

  private addProcess(): void {
    this.gauge("process_start_time_seconds", "When the process was started", () => START_SECONDS);
    this.gauge("process_resident_memory_bytes", "Memory of the process", () => process.memoryUsage.rss());
    this.gauge("nodejs_heap_size_used_bytes", "JavaScript heap in use", () => process.memoryUsage().heapUsed);
    this.addCounter("process_cpu_seconds_total", "Processor time of the process", () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / US_PER_SECOND;
    });
  }
}

/** The metrics of a broker's node. */
export const metricsOf = perBroker(() => new Metrics());
