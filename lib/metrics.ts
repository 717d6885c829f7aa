import { monitorEventLoopDelay } from "node:perf_hooks";
import type { ServiceBroker } from "moleculer";
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Counts upwards: add to `value`, it is read when somebody scrapes. */
export interface PlainCounter {
  value: number;
}

const LOOP_RESOLUTION_MS = 10;
const NS_PER_SECOND = 1e9;
const US_PER_SECOND = 1e6;

/**
 * The metrics of one node, in Prometheus' text format. What is on a hot path is a plain number that is collected on
 * scrape. There are no labels by user or by anything else whose number is not bounded.
 */
export class Metrics {
  private readonly registry = new Registry();
  private readonly counters = new Map<string, PlainCounter>();
  private readonly histograms = new Map<string, Histogram>();
  private readonly loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });

  constructor() {
    this.loop.enable();
    this.addLoopDelay();
    this.addProcess();
  }

  /** A counter; the same one for the same name. Names end in `_total`. */
  counter(name: string, help: string): PlainCounter {
    const known = this.counters.get(name);
    if (known) return known;
    const plain: PlainCounter = { value: 0 };
    this.counters.set(name, plain);
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

  /** A histogram with these upper bounds, ascending; the same one for the same name. About half a microsecond a value. */
  histogram(name: string, help: string, buckets: readonly number[]): Pick<Histogram, "observe"> {
    let histogram = this.histograms.get(name);
    if (!histogram) {
      histogram = new Histogram({ name, help, buckets: [...buckets], registers: [this.registry] });
      this.histograms.set(name, histogram);
    }
    return histogram;
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

  private addLoopDelay(): void {
    const { loop } = this;
    new Gauge({
      name: "nodejs_eventloop_delay_seconds",
      help: "Delay of the event loop since the last scrape, by quantile.",
      labelNames: ["quantile"],
      registers: [this.registry],
      collect() {
        for (const quantile of [50, 90, 99, 100]) {
          this.set({ quantile: String(quantile / 100) }, loop.percentile(quantile) / NS_PER_SECOND);
        }
        loop.reset();
      },
    });
  }

  private addProcess(): void {
    this.gauge("process_resident_memory_bytes", "Memory of the process.", () => process.memoryUsage.rss());
    this.gauge("nodejs_heap_size_used_bytes", "JavaScript heap in use.", () => process.memoryUsage().heapUsed);
    this.addCounter("process_cpu_seconds_total", "Processor time of the process.", () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / US_PER_SECOND;
    });
  }
}

const byBroker = new WeakMap<ServiceBroker, Metrics>();

/** The metrics of a broker's node. */
export function metricsOf(broker: ServiceBroker): Metrics {
  let metrics = byBroker.get(broker);
  if (!metrics) byBroker.set(broker, (metrics = new Metrics()));
  return metrics;
}
