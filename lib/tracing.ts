import { type BrokerOptions, type Span, TracerExporters } from "moleculer";
import type { Config } from "./config";
import { errorTypeOf } from "./middlewares/errors";

/** Spans that may wait; further ones are dropped. */
const QUEUE_LENGTH = 2_000;
const INTERVAL_SECONDS = 2;
const DELIVERY_TIMEOUT_MS = 3_000;

/**
 * The tracing of a broker: off, and then not even a middleware, without TRACING_URL. On, each call that is traced makes a
 * span with the action's name, its nodes, its time and the type of its error: never params, results or texts.
 */
export function tracingOptions(config: Pick<Config, "TRACING_URL" | "TRACING_PERCENT">): BrokerOptions["tracing"] {
  const { TRACING_URL: url, TRACING_PERCENT: percent } = config;
  if (url === undefined) return false;
  return {
    enabled: true,
    exporter: new ZipkinExporter(url) as never,
    sampling: { rate: percent / 100 },
    actions: true,
    events: false,
    stackTrace: false,
    // Without a function of ours Moleculer would add the params.
    tags: { action: noTags, event: noTags },
  };
}

const noTags = (): Record<string, never> => ({});

/**
 * Sends spans to `url` in Zipkin's JSON format, version 2, which Zipkin and Jaeger take. Moleculer's own exporter keeps
 * spans without bound and waits for an answer for minutes; this one sends one batch at a time, gives up after three
 * seconds, and drops what does not fit, so that a dead receiver costs next to nothing.
 */
export class ZipkinExporter extends TracerExporters.Zipkin {
  private sending = false;
  private reachable = true;

  constructor(private readonly url: string) {
    super({ interval: INTERVAL_SECONDS });
  }

  /** No batch is on its way. */
  get idle(): boolean {
    return !this.sending;
  }

  override spanFinished(span: Span): void {
    if (this.queue.length < QUEUE_LENGTH) this.queue.push(span);
  }

  override flush(): void {
    if (this.sending || this.queue.length === 0) return;
    const body = JSON.stringify(this.generateTracingData());
    this.queue.length = 0;
    this.sending = true;
    void this.deliver(body).finally(() => (this.sending = false));
  }

  override makePayload(span: Span): Record<string, unknown> {
    const payload = super.makePayload(span) as { tags: Record<string, string> } & Record<string, unknown>;
    // A request's id is its trace's: all of its digits, so that either is found by the other.
    payload["traceId"] = span.traceID.replaceAll("-", "").slice(0, 32);
    if (span.error) payload.tags["error"] = errorTypeOf(span.error);
    return payload;
  }

  /** Nothing of an error's own but its type, which is in the table of errors. */
  override errorToObject(): Record<string, unknown> {
    return {};
  }

  private async deliver(body: string): Promise<void> {
    try {
      const signal = AbortSignal.timeout(DELIVERY_TIMEOUT_MS);
      const response = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        signal,
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the receiver of traces answered ${response.status}`);
      this.reachable = true;
    } catch (error) {
      // Said once until it works again.
      if (this.reachable) this.logger.warn("traces cannot be delivered", { error });
      this.reachable = false;
    }
  }
}
