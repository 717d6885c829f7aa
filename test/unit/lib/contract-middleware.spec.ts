import { Type } from "@sinclair/typebox";
import { type Context, type LoggerConfig, ServiceBroker } from "moleculer";
import { type Access, type Contract, contract } from "../../../lib/contract";
import { actionOf } from "../../../lib/decorators";
import { type ErrorType, ParleyError } from "../../../lib/errors";
import { loggerConfig } from "../../../lib/logger";
import { contractMiddleware } from "../../../lib/middlewares/contract";
import { RedisFailure } from "../../../lib/kv/redis";
import { toWireError } from "../../../lib/middlewares/errors";
import { MongoFailure } from "../../../lib/store/mongo/replies";

const NOW = 1_000_000;
const SECRET = "redis://:hunter2@10.0.0.1";

const declare = (name: string, access: Access, errors: readonly ErrorType[] = []): Contract =>
  contract({
    name: `thing.${name}`,
    summary: "Do",
    params: Type.Object({ id: Type.String(), text: Type.Optional(Type.String({ maxLength: 3, "x-limit": "TEXT" })) }),
    result: Type.Any(),
    access,
    errors,
  });

const contracts = {
  open: declare("open", "public"),
  user: declare("user", "user"),
  staff: declare("staff", { roles: ["agent", "admin"] }),
  fail: declare("fail", "public"),
  write: declare("write", "public", ["UNKNOWN_OUTCOME"]),
};

describe("contract middleware", () => {
  const lines: string[] = [];
  let broker: ServiceBroker;
  let reached: Context<Record<string, unknown>, Record<string, unknown>> | undefined;
  let failure: unknown;

  beforeAll(async () => {
    broker = new ServiceBroker({
      logger: loggerConfig("warn", { write: (line) => void lines.push(line) }) as LoggerConfig,
      requestTimeout: 0,
      middlewares: [contractMiddleware({ now: () => NOW, requestTimeoutMs: 5_000, limits: { TEXT: 5 } })],
    });
    const reach = (ctx: NonNullable<typeof reached>) => {
      reached = ctx;
      return ctx.params;
    };
    const fail = () => {
      throw failure;
    };
    broker.createService({
      name: "thing",
      actions: Object.fromEntries(
        Object.entries(contracts).map(([name, declared]) => [
          name,
          { ...actionOf(declared), handler: name === "fail" || name === "write" ? fail : reach },
        ]),
      ),
    } as never);
    await broker.start();
  });
  afterAll(() => broker.stop());
  beforeEach(() => {
    reached = undefined;
    lines.splice(0);
  });

  const refusal = (name: string, params: unknown = { id: "x" }, meta: object = {}) =>
    broker.call<unknown, object>(`thing.${name}`, params as object, { meta }).then(
      () => undefined,
      (error: unknown) => toWireError(error),
    );
  const user = (...roles: string[]) => ({ user: { id: "u", roles } });

  it.each([
    ["user", {}, "UNAUTHORIZED"],
    ["user", { user: null }, "UNAUTHORIZED"],
    ["staff", {}, "UNAUTHORIZED"],
    ["staff", user("customer"), "FORBIDDEN"],
    ["staff", user(), "FORBIDDEN"],
  ])("refuses %s to %j as %s before it looks at the params", async (name, meta, type) => {
    expect(await refusal(name, { id: 5 }, meta)).toMatchObject({ type });
    expect(reached).toBeUndefined();
  });

  it("lets in who may", async () => {
    expect(await refusal("open")).toBeUndefined();
    expect(await refusal("user", { id: "x" }, user())).toBeUndefined();
    expect(await refusal("staff", { id: "x" }, user("customer", "agent"))).toBeUndefined();
  });

  it("hands over valid params without unknown fields, and texts as long as the setting allows", async () => {
    await broker.call("thing.open", { id: "x", extra: 1, text: "12345" });
    expect(reached?.params).toEqual({ id: "x", text: "12345" });
    expect(await refusal("open", { id: "x", text: "123456" })).toMatchObject({ type: "VALIDATION" });
  });

  it("gives a call a deadline without touching its caller's meta", async () => {
    const meta = { requestId: "r" };
    await broker.call("thing.open", { id: "x" }, { meta });
    expect(reached?.meta).toEqual({ requestId: "r", deadline: NOW + 5_000 });
    expect(meta).toEqual({ requestId: "r" });
  });

  it("keeps a deadline it was given, and begins nothing after it", async () => {
    await broker.call("thing.open", { id: "x" }, { meta: { deadline: NOW + 7 } });
    expect(reached?.meta.deadline).toBe(NOW + 7);
    reached = undefined;
    expect(await refusal("open", { id: "x" }, { deadline: NOW })).toMatchObject({
      type: "UNAVAILABLE",
      retryable: true,
    });
    expect(reached).toBeUndefined();
  });

  it("lets our own errors out as they are", async () => {
    failure = new ParleyError("SESSION_TAKEN", { agentId: "a" });
    expect(await refusal("fail")).toMatchObject({ type: "SESSION_TAKEN", data: { agentId: "a" } });
    expect(lines).toEqual([]);
  });

  it.each([new Error(SECRET), Object.assign(new Error(SECRET), { type: SECRET, data: { SECRET } }), SECRET, undefined])(
    "makes INTERNAL of %j and logs it",
    async (error) => {
      failure = error;
      expect(await refusal("fail")).toEqual({
        type: "INTERNAL",
        message: "Something went wrong on our side.",
        retryable: false,
      });
      expect(lines.join("")).toContain("thing.fail");
    },
  );

  it.each([
    ["REQUEST_TIMEOUT", "write", "UNKNOWN_OUTCOME"],
    ["REQUEST_REJECTED", "write", "UNKNOWN_OUTCOME"],
    ["REQUEST_TIMEOUT", "fail", "UNAVAILABLE"],
    ["SERVICE_NOT_FOUND", "write", "UNAVAILABLE"],
    ["SERVICE_NOT_AVAILABLE", "fail", "UNAVAILABLE"],
  ])("makes of %s inside %s the retryable %s", async (type, name, expected) => {
    failure = Object.assign(new Error(SECRET), { type });
    expect(await refusal(name)).toMatchObject({ type: expected, retryable: true });
  });

  it.each([
    [new MongoFailure("no server"), "write", "UNKNOWN_OUTCOME"],
    [new MongoFailure("no server"), "fail", "UNAVAILABLE"],
    [new RedisFailure("no connection"), "fail", "UNAVAILABLE"],
  ])("makes of a store that is away, %s inside %s, the retryable %s", async (error, name, expected) => {
    failure = error;
    expect(await refusal(name)).toMatchObject({ type: expected, retryable: true });
  });
});

describe("an error on the wire", () => {
  it("takes its text from the table and its data only from our own errors", () => {
    const foreign = Object.assign(new Error(SECRET), { type: "NOT_FOUND", data: { SECRET } });
    expect(toWireError(foreign, "r1")).toEqual({
      type: "NOT_FOUND",
      message: "Not found.",
      retryable: false,
      requestId: "r1",
    });
  });

  it("survives a hop between nodes, where classes do not", () => {
    const ours = new ParleyError("RATE_LIMITED", { retryInMs: 7 });
    const { name, message, type, code, data } = ours;
    const hopped = Object.assign(new Error(message), { name, type, code, data });
    expect(toWireError(hopped)).toEqual(toWireError(ours));
  });
});
