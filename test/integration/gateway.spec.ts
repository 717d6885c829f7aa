import { randomUUID } from "node:crypto";
import { request } from "node:http";
import type { Context, ServiceSchema } from "moleculer";
import { actionOf } from "../../lib/decorators";
import { ParleyError } from "../../lib/errors";
import type { Meta } from "../../services/auth/principal";
import * as message from "../../services/message/message.contract";
import { type GatewayNode, startGateway } from "../support/gateway-node";
import { rest } from "../support/rest";
import { until } from "../support/wait";

const SECRET = "mongodb://parley:hunter2@db.internal/parley";
const CONVERSATION = "/conversations/c1/messages";

interface Seen {
  params: Record<string, unknown>;
  meta: Meta;
}

/** A stand-in for the message service that does as the text says and remembers what reached it. */
function fakeMessages(seen: Seen[], release: Promise<void>): ServiceSchema {
  const behave = async (text: unknown): Promise<void> => {
    if (text === "crash") throw new TypeError(`connect ECONNREFUSED ${SECRET}`);
    if (text === "crash with a known type")
      throw Object.assign(new Error(SECRET), { type: "INTERNAL", data: { SECRET } });
    if (text === "busy") throw new ParleyError("TOO_BUSY");
    if (text === "wait") await release;
    if (text === "stuck") await new Promise<void>(() => undefined);
  };
  const record = async (ctx: Context<Record<string, unknown>, Meta>) => {
    seen.push({ params: ctx.params, meta: { ...ctx.meta } });
    await behave(ctx.params.text);
    return { seq: 1, id: "e1", at: "2026-01-01T00:00:00.000Z" };
  };
  return {
    name: "message",
    actions: {
      send: { ...actionOf(message.send), handler: record },
      edit: { ...actionOf(message.edit), handler: record },
      delete: { ...actionOf(message.remove), handler: record },
      history: {
        ...actionOf(message.history),
        handler: (ctx: Context<Record<string, unknown>, Meta>) => {
          seen.push({ params: ctx.params, meta: ctx.meta });
          return { messages: [], hasMore: false };
        },
      },
      internal: { handler: () => SECRET },
    },
  } as unknown as ServiceSchema;
}

describe("gateway", () => {
  const seen: Seen[] = [];
  let release: () => void = () => undefined;
  let gateway: GatewayNode;

  beforeAll(async () => {
    const released = new Promise<void>((resolve) => (release = resolve));
    gateway = await startGateway([fakeMessages(seen, released)], {
      REQUEST_TIMEOUT_MS: "1000",
      BODY_BYTES: "2000",
      ALLOWED_ORIGINS: "https://shop.example",
      ACCESS_LOG: "true",
    });
  });
  afterAll(async () => {
    release();
    await gateway.stop();
  });
  beforeEach(() => void seen.splice(0));

  const send = (body: unknown, headers: Record<string, string> = {}, token = gateway.token) =>
    rest(gateway.url, "POST", CONVERSATION, token, body, headers);

  describe("requests", () => {
    it("merges path and body, the path winning, and answers with the contract's status", async () => {
      const answer = await send({ commandId: "1", text: "hi", conversationId: "other", admin: true });
      expect(answer.expect(201)).toEqual({ seq: 1, id: "e1", at: "2026-01-01T00:00:00.000Z" });
      expect(seen[0]?.params).toEqual({ conversationId: "c1", commandId: "1", text: "hi" });
      expect(answer.headers.get("cache-control")).toBe("no-store");
    });

    it("reads numbers of the query as the contract's types and fills in defaults", async () => {
      (await rest(gateway.url, "GET", `${CONVERSATION}?before=10`, gateway.token)).expect(200);
      expect(seen[0]?.params).toEqual({ conversationId: "c1", before: 10, limit: 50 });
    });

    it("ignores unknown query keys", async () => {
      (await rest(gateway.url, "GET", `${CONVERSATION}?utm=1&utm=2`, gateway.token)).expect(200);
      expect(seen[0]?.params).toEqual({ conversationId: "c1", limit: 50 });
    });

    it.each(["before=1&before=2", "before[$gt]=1", "before=ten", "before=1e3", "before=0x10", "limit=101", "before="])(
      "refuses the query %s",
      async (query) => {
        const answer = await rest(gateway.url, "GET", `${CONVERSATION}?${query}`, gateway.token);
        expect([answer.status, answer.error.type]).toEqual([400, "VALIDATION"]);
        expect(seen).toEqual([]);
      },
    );

    it.each(["[]", '"text"', "7", "{", "", '{"commandId":"1","text":"a"', "{]"])(
      "refuses the body %s",
      async (body) => {
        const answer = await send(body);
        expect([answer.status, answer.error.type]).toEqual([400, "VALIDATION"]);
        expect(seen).toEqual([]);
      },
    );

    it("refuses bodies that are not sent as JSON", async () => {
      const answer = await send("commandId=1&text=a", { "content-type": "application/x-www-form-urlencoded" });
      expect(answer.error.data).toEqual({
        fields: [{ field: "", problem: "the body must be sent as application/json" }],
      });
    });

    it("refuses compressed bodies instead of inflating them", async () => {
      const answer = await send({ commandId: "1", text: "a" }, { "content-encoding": "gzip" });
      expect([answer.status, answer.error.type]).toEqual([400, "VALIDATION"]);
    });

    it("treats prototype keys as unknown fields", async () => {
      (await send('{"commandId":"1","text":"a","__proto__":{"force":true},"constructor":{"prototype":{}}}')).expect(
        201,
      );
      expect(seen[0]?.params).toEqual({ conversationId: "c1", commandId: "1", text: "a" });
    });

    it("answers 404 alike for an unknown path, a wrong method and an action without a route", async () => {
      for (const [method, path] of [
        ["GET", "/nope"],
        ["DELETE", "/me"],
        ["GET", "/message/internal"],
        ["GET", "/~node/list"],
      ] as const) {
        const answer = await rest(gateway.url, method, path, gateway.token);
        expect([answer.status, answer.error.type, answer.error.message]).toEqual([404, "NOT_FOUND", "Not found."]);
      }
    });

    it("refuses a path that cannot be decoded", async () => {
      const answer = await rest(gateway.url, "GET", "/conversations/%E0%A4%A/messages", gateway.token);
      expect([answer.status, answer.error.type]).toEqual([400, "VALIDATION"]);
    });

    it("refuses a body over BODY_BYTES", async () => {
      const answer = await send({ commandId: "1", text: "x".repeat(3_000) });
      expect([answer.status, answer.error.type]).toEqual([413, "PAYLOAD_TOO_LARGE"]);
    });
  });

  describe("Idempotency-Key", () => {
    it("is the commandId when the body has none", async () => {
      (await send({ text: "hi" }, { "idempotency-key": "key-1" })).expect(201);
      expect(seen[0]?.params).toMatchObject({ commandId: "key-1" });
    });

    it("may repeat the commandId of the body", async () => {
      (await send({ commandId: "key-1", text: "hi" }, { "idempotency-key": "key-1" })).expect(201);
    });

    it("may not differ from it", async () => {
      const answer = await send({ commandId: "a", text: "hi" }, { "idempotency-key": "b" });
      expect(answer.error.data).toEqual({
        fields: [{ field: "commandId", problem: "differs from the Idempotency-Key header" }],
      });
    });

    it("is needed when the body has no commandId", async () => {
      const answer = await send({ text: "hi" });
      expect(answer.error.data).toEqual({ fields: [{ field: "commandId", problem: "is required" }] });
    });

    it("is ignored where there is nothing to repeat", async () => {
      const answer = await rest(gateway.url, "GET", CONVERSATION, gateway.token, undefined, { "idempotency-key": "b" });
      answer.expect(200);
    });
  });

  describe("identity", () => {
    it.each([undefined, "nonsense", "a b", ""])("refuses the token %j", async (token) => {
      const answer = await rest(gateway.url, "POST", CONVERSATION, token, { commandId: "1", text: "a" });
      expect([answer.status, answer.error.type]).toEqual([401, "UNAUTHORIZED"]);
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      expect(seen).toEqual([]);
    });

    it("takes no token from the query", async () => {
      const answer = await rest(
        gateway.url,
        "GET",
        `${CONVERSATION}?token=${gateway.token}&access_token=${gateway.token}`,
      );
      expect(answer.status).toBe(401);
    });

    it("does not look at the token of a public action", async () => {
      (await rest(gateway.url, "POST", "/auth/guest", "nonsense", {})).expect(201);
    });

    it("tells the action who calls, from where and by which request", async () => {
      const answer = await send(
        { commandId: "1", text: "a" },
        { "x-request-id": "forged", "x-forwarded-for": "6.6.6.6" },
      );
      const { meta } = seen[0] ?? {};
      expect(meta).toMatchObject({ ip: "127.0.0.1", user: { guest: true, roles: ["customer"] } });
      expect(meta?.requestId).toBe(answer.headers.get("x-request-id"));
      expect(meta?.requestId).not.toBe("forged");
    });
  });

  describe("errors", () => {
    it.each(["crash", "crash with a known type"])("hides what a %s says, and finds it in the log", async (text) => {
      const answer = await send({ commandId: "1", text });
      const requestId = answer.headers.get("x-request-id") ?? "";
      expect(answer.status).toBe(500);
      expect(answer.body).toEqual({
        error: { type: "INTERNAL", message: "Something went wrong on our side.", retryable: false, requestId },
      });
    });

    it("logs an unexpected error under its request id", async () => {
      const answer = await send({ commandId: "1", text: "crash" });
      const requestId = answer.headers.get("x-request-id") ?? "";
      expect(gateway.log.find((line) => line.includes(requestId) && line.includes("ECONNREFUSED"))).toBeDefined();
    });

    it("passes our own errors with their status and when to come back", async () => {
      const answer = await send({ commandId: "1", text: "busy" });
      expect([answer.status, answer.error.type, answer.error.retryable]).toEqual([503, "TOO_BUSY", true]);
      expect(answer.headers.get("retry-after")).toBe("1");
    });

    it("says that the outcome is unknown when a write is not answered in time", async () => {
      const answer = await send({ commandId: "1", text: "stuck" });
      expect([answer.status, answer.error.type]).toEqual([503, "UNKNOWN_OUTCOME"]);
    });

    it("is unavailable where nobody serves the action", async () => {
      const answer = await rest(gateway.url, "GET", "/sessions", gateway.token);
      expect([answer.status, answer.error.type]).toEqual([503, "UNAVAILABLE"]);
    });

    it("logs each request without its query when asked to", async () => {
      const answer = await rest(gateway.url, "GET", `${CONVERSATION}?before=4711`, gateway.token);
      const requestId = answer.headers.get("x-request-id") ?? "";
      const line = await until("the log line", () =>
        gateway.log.find((text) => text.includes(requestId) && text.includes('"path"')),
      );
      expect(JSON.parse(line)).toMatchObject({
        method: "GET",
        path: `/v1${CONVERSATION}`,
        status: 200,
        ip: "127.0.0.1",
      });
      expect(line).not.toContain("4711");
    });

    it("logs no token and no text", async () => {
      await send({ commandId: "1", text: "hunter3 is what I said" });
      await send({ commandId: randomUUID(), text: "crash" });
      const log = gateway.log.join("\n");
      expect(log).not.toContain("hunter3");
      expect(log).not.toContain(gateway.token);
    });
  });

  describe("other origins", () => {
    const from = (origin: string, method = "POST") =>
      fetch(`${gateway.url}/v1/auth/guest`, {
        method,
        headers: { origin, "content-type": "application/json", "access-control-request-method": "POST" },
        ...(method === "POST" ? { body: "{}" } : {}),
      });

    it("lets pages of an allowed origin read answers", async () => {
      const preflight = await from("https://shop.example", "OPTIONS");
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get("access-control-allow-origin")).toBe("https://shop.example");
      expect(preflight.headers.get("access-control-allow-headers")).toContain("Idempotency-Key");
      const answer = await from("https://shop.example");
      expect(answer.headers.get("access-control-allow-origin")).toBe("https://shop.example");
      expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    });

    it.each(["https://evil.example", "https://shop.example.evil.example", "null"])(
      "lets %s read nothing",
      async (origin) => {
        expect((await from(origin, "OPTIONS")).headers.get("access-control-allow-origin")).toBeNull();
        expect((await from(origin)).headers.get("access-control-allow-origin")).toBeNull();
      },
    );
  });

  describe("pages", () => {
    const page = (path: string, method = "GET") => fetch(`${gateway.url}${path}`, { method });

    it("is live and ready", async () => {
      expect((await page("/health/live")).status).toBe(200);
      expect((await page("/health/live", "HEAD")).status).toBe(200);
      const ready = await page("/health/ready");
      expect([ready.status, await ready.json()]).toEqual([
        200,
        { status: "ready", parts: { node: "ready", broker: "up", store: "up", kv: "up" } },
      ]);
    });

    it("is not ready while the store does not answer", async () => {
      const ping = jest.spyOn(gateway.store, "ping").mockRejectedValue(new Error(SECRET));
      const ready = await page("/health/ready");
      ping.mockRestore();
      const text = await ready.text();
      expect(ready.status).toBe(503);
      expect(JSON.parse(text)).toMatchObject({ parts: { store: "down" } });
      expect(text).not.toContain("hunter2");
    });

    it("shows metrics in Prometheus' text format", async () => {
      const metrics = await page("/metrics");
      expect(metrics.headers.get("content-type")).toContain("text/plain");
      expect(await metrics.text()).toMatch(/^nodejs_eventloop_delay_seconds\{quantile="0.99"\} \d/m);
    });

    it("documents itself without asking other sites", async () => {
      const html = await (await page("/docs")).text();
      const policy = (await page("/docs")).headers.get("content-security-policy");
      expect(policy).toContain("script-src 'self'");
      const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? "");
      expect(links.length).toBeGreaterThan(2);
      for (const link of links) {
        expect(link).toMatch(/^\/docs\//);
        expect((await page(link)).status).toBe(200);
      }
      expect(await (await page("/openapi.json")).json()).toMatchObject({ openapi: "3.1.0" });
    });

    it.each(["/docs/package.json", "/docs/../package.json", "/docs/index.html", "/.env", "/v1", "/V1/me"])(
      "serves nothing at %s",
      async (path) => {
        expect((await page(path)).status).toBe(404);
      },
    );

    it("has safe headers everywhere", async () => {
      for (const path of ["/", "/v1/nope", "/metrics"]) {
        const { headers } = await page(path);
        expect(headers.get("x-content-type-options")).toBe("nosniff");
        expect(headers.get("x-powered-by")).toBeNull();
      }
    });
  });

  it("offers none of moleculer-web's own actions", async () => {
    const { actions } = gateway.node.broker.getLocalService("gateway").schema;
    expect(Object.keys(actions ?? {}).sort()).toEqual(["knows", "rest"]);
    for (const name of ["listAliases", "addRoute", "removeRoute"]) {
      await expect(gateway.node.broker.call(`gateway.${name}`)).rejects.toMatchObject({ type: "SERVICE_NOT_FOUND" });
    }
  });

  it("cuts off a client that never finishes its headers without hurting others", async () => {
    const slow = request(gateway.url);
    slow.on("error", () => undefined);
    slow.flushHeaders();
    (await send({ commandId: "1", text: "a" })).expect(201);
    slow.destroy();
  });
});

describe("a gateway's limits and end", () => {
  it("limits the requests of one address and says when to come back", async () => {
    const gateway = await startGateway([], { LIMIT_REQUESTS_PER_MINUTE: "3" });
    try {
      const answers = [];
      for (let attempt = 0; attempt < 3; attempt++) answers.push(await rest(gateway.url, "GET", "/me", gateway.token));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
      const refused = answers[2];
      expect(refused?.error.type).toBe("RATE_LIMITED");
      expect(Number(refused?.error.data?.retryInMs)).toBeGreaterThan(0);
      expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
      expect((await fetch(`${gateway.url}/health/live`)).status).toBe(200);
    } finally {
      await gateway.stop();
    }
  });

  it("believes as many proxies as there are", async () => {
    const seen: Seen[] = [];
    const gateway = await startGateway([fakeMessages(seen, Promise.resolve())], { TRUST_PROXY_HOPS: "1" });
    try {
      const headers = { "x-forwarded-for": "6.6.6.6, 10.0.0.7" };
      (await rest(gateway.url, "GET", CONVERSATION, gateway.token, undefined, headers)).expect(200);
      expect(seen[0]?.meta.ip).toBe("10.0.0.7");
    } finally {
      await gateway.stop();
    }
  });

  it("finishes what is in flight, takes nothing new and is not ready while it drains", async () => {
    const seen: Seen[] = [];
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const gateway = await startGateway([fakeMessages(seen, released)]);
    const inFlight = rest(gateway.url, "POST", CONVERSATION, gateway.token, { commandId: "1", text: "wait" });
    await until("the request is in flight", () => seen.length === 1);
    const stopped = gateway.stop();
    const refused = await rest(gateway.url, "GET", CONVERSATION, gateway.token);
    const ready = await fetch(`${gateway.url}/health/ready`);
    release();
    expect([refused.status, refused.error.type, refused.error.retryable]).toEqual([503, "UNAVAILABLE", true]);
    expect(ready.status).toBe(503);
    (await inFlight).expect(201);
    await stopped;
    await expect(fetch(gateway.url)).rejects.toThrow();
  });
});
