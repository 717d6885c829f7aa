import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ServiceBroker } from "moleculer";
import { readConfig } from "../../../lib/config";
import { ParleyError } from "../../../lib/errors";
import { tracingOptions, type ZipkinExporter } from "../../../lib/tracing";
import { brokerOptions } from "../../../moleculer.config";
import { until } from "../../support/wait";

interface SentSpan {
  readonly name: string;
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

const TEXT = "my password is swordfish";

/** Takes spans as Zipkin does, and answers as it is told. */
class Receiver {
  readonly spans: SentSpan[] = [];
  requests = 0;
  answer: "ok" | "refuse" | "never" = "ok";
  private constructor(private readonly server: Server) {}

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on("request", (request: IncomingMessage, response) => {
      receiver.requests++;
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        if (receiver.answer === "ok")
          receiver.spans.push(...(JSON.parse(Buffer.concat(chunks).toString()) as SentSpan[]));
        if (receiver.answer !== "never") response.writeHead(receiver.answer === "ok" ? 202 : 500).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/api/v2/spans`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe("tracing", () => {
  let receiver: Receiver;
  let broker: ServiceBroker;
  const warnings: string[] = [];

  beforeEach(async () => {
    warnings.length = 0;
    receiver = await Receiver.start();
    broker = new ServiceBroker({
      ...brokerOptions(
        readConfig({ LOG_LEVEL: "silent", TRACING_URL: receiver.url, TRACING_PERCENT: "100" }),
        "tracing",
      ),
      tracking: { enabled: false },
    });
    broker.createService({
      name: "shop",
      actions: {
        async sell(ctx) {
          return ctx.call("shop.pack", ctx.params);
        },
        pack: () => ({ text: TEXT }),
        lose() {
          throw Object.assign(new Error(TEXT), { data: { text: TEXT } });
        },
        refuse() {
          throw new ParleyError("STALE_VIEW", { events: [{ text: TEXT }] });
        },
      },
    });
    await broker.start();
  });

  afterEach(async () => {
    await broker.stop();
    await receiver.stop();
  });

  const exporter = (): ZipkinExporter => (broker.tracer.exporter as unknown as ZipkinExporter[])[0] as ZipkinExporter;
  const flushed = async (count: number): Promise<readonly SentSpan[]> => {
    exporter().flush();
    await until("the spans", () => receiver.spans.length >= count);
    return receiver.spans;
  };

  it("is off without an address, and then wraps no action", async () => {
    expect(tracingOptions(readConfig({}))).toBe(false);
    const plain = new ServiceBroker(brokerOptions(readConfig({ LOG_LEVEL: "silent" }), "plain"));
    const wrapping = (of: ServiceBroker) => of.middlewares.list.find(({ name }) => name === "Tracing")?.localAction;
    expect(wrapping(plain)).toBeFalsy();
    expect(wrapping(broker)).toBeTruthy();
    await plain.stop();
  });

  it("makes one trace of a request, under the request's id", async () => {
    const requestID = "0123456789abcdef0123456789abcdef";
    await broker.call("shop.sell", { text: TEXT }, { requestID });
    const spans = await flushed(2);
    const sell = spans.find(({ name }) => name === "action 'shop.sell'");
    const pack = spans.find(({ name }) => name === "action 'shop.pack'");
    expect(spans.map(({ traceId }) => traceId)).toEqual([requestID, requestID]);
    expect(pack?.parentId).toBe(sell?.id);
    for (const { id } of spans) expect(id).toMatch(/^[0-9a-f]{16}$/);
  });

  it("tells the type of an error, and nothing of params, results, data or unknown texts", async () => {
    await broker.call("shop.sell", { text: TEXT }, { meta: { token: TEXT } });
    await expect(broker.call("shop.lose", { text: TEXT })).rejects.toThrow();
    await expect(broker.call("shop.refuse", { text: TEXT })).rejects.toThrow();
    const spans = await flushed(4);
    expect(JSON.stringify(spans)).not.toContain("swordfish");
    expect(spans.map(({ tags }) => tags["error"]).filter(Boolean)).toEqual(["INTERNAL", "STALE_VIEW"]);
  });

  it("keeps a bounded number of spans, and sends one batch at a time, while the receiver does not answer", async () => {
    receiver.answer = "never";
    await broker.call("shop.pack");
    exporter().flush();
    await until("the first batch", () => receiver.requests === 1);
    await Promise.all(Array.from({ length: 3_000 }, () => broker.call("shop.pack")));
    exporter().flush();
    expect(exporter().queue).toHaveLength(2_000);
    expect(receiver.requests).toBe(1);
  });

  it("says once that nobody takes the traces, and goes on when somebody does", async () => {
    const logger = { warn: (text: string) => warnings.push(text), debug: () => undefined };
    exporter().logger = logger as unknown as ZipkinExporter["logger"];
    receiver.answer = "refuse";
    for (const round of [1, 2, 3]) {
      await broker.call("shop.pack");
      exporter().flush();
      await until("an attempt", () => receiver.requests === round && exporter().idle);
    }
    expect(warnings).toEqual(["traces cannot be delivered"]);
    receiver.answer = "ok";
    await broker.call("shop.pack");
    expect(await flushed(1)).toHaveLength(1);
  });
});
