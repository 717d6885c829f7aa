import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServiceBroker } from "moleculer";
import { type Health, healthOf } from "./health";
import { type Metrics, metricsOf } from "./metrics";
import { perBroker } from "./per-broker";
import { PARTS, vitalsOf } from "./vitals";

/** Answers one path. */
export type Page = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/**
 * What every process serves for whoever runs it, by path: is it alive, should it get traffic, its metrics. They hold
 * nothing of any user and take GET and HEAD only.
 */
export const probesOf = perBroker((broker): ReadonlyMap<string, Page> => {
  const metrics = metricsOf(broker);
  const vitals = vitalsOf(broker);
  metrics.gauges("parley_part_up", "1 when the part answers this node", "part", PARTS, (part) =>
    vitals.isDown(part) ? 0 : 1,
  );
  const health = healthOf(broker);
  return new Map<string, Page>([
    ["/health/live", (_request, response) => sendJson(response, 200, { status: "live" })],
    ["/health/ready", (_request, response) => sendReadiness(health, response)],
    ["/metrics", (_request, response) => sendMetrics(metrics, response)],
  ]);
});

/** The handler of a process that serves nothing else, or nothing yet: `otherwise` is the status of every other path. */
export function probeHandler(
  broker: ServiceBroker,
  otherwise: 404 | 503 = 404,
): (request: IncomingMessage, response: ServerResponse) => void {
  const pages = probesOf(broker);
  return (request, response) => {
    const [path = "/"] = (request.url ?? "/").split("?", 1);
    const page = request.method === "GET" || request.method === "HEAD" ? pages.get(path) : undefined;
    if (page) Promise.resolve(page(request, response)).catch(() => response.destroy());
    else response.writeHead(otherwise).end();
  };
}

async function sendReadiness(health: Health, response: ServerResponse): Promise<void> {
  const { ready, parts } = await health.readiness();
  sendJson(response, ready ? 200 : 503, { status: ready ? "ready" : "not ready", parts });
}

async function sendMetrics(metrics: Metrics, response: ServerResponse): Promise<void> {
  const body = await metrics.text();
  response.writeHead(200, { "Content-Type": metrics.contentType, "Cache-Control": "no-store" }).end(body);
}

function sendJson(response: ServerResponse, status: number, data: object): void {
  const body = Buffer.from(JSON.stringify(data));
  const headers = { "Content-Type": "application/json; charset=utf-8", "Content-Length": body.length };
  response.writeHead(status, { ...headers, "Cache-Control": "no-store" }).end(body);
}
