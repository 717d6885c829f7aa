import { randomBytes } from "node:crypto";
import { io, type Socket } from "socket.io-client";
import { systemClock } from "../../lib/actor/ports";
import { readConfig } from "../../lib/config";
import { actionOf } from "../../lib/decorators";
import type { WireError } from "../../lib/errors";
import { MemoryKv } from "../../lib/kv/memory";
import { createNode, type Node } from "../../lib/node";
import { MemoryStore } from "../../lib/store/memory";
import { call } from "../../services/call";
import { get } from "../../services/presence/presence.contract";
import { ROLES } from "../../services/roles";
import { LocalNetwork, LocalTransporter } from "../support/local-network";
import { until } from "../support/wait";

interface LogLine {
  readonly level: number;
  readonly nodeID: string;
  readonly msg: string;
  readonly requestId?: string;
  readonly action?: string;
}

const ERROR = 50;

describe("a request that fails on another node", () => {
  const log: LogLine[] = [];
  const network = new LocalNetwork();
  const store = new MemoryStore();
  const kv = new MemoryKv({ clock: systemClock });
  const env = {
    NAMESPACE: `request-id-${randomBytes(6).toString("hex")}`,
    AUTH_KEYS: `test:${randomBytes(32).toString("base64")}`,
    ADMIN_EMAIL: "root@example.org",
    ADMIN_PASSWORD: "administrator",
    LOG_LEVEL: "warn",
    DRAIN_SECONDS: "1",
    PORT: "0",
  };
  let core: Node;
  let edge: Node;
  let token: string;
  let socket: Socket;

  const start = async (id: string, services: readonly string[], own: Parameters<typeof createNode>[0] = {}) => {
    const node = await createNode({
      config: readConfig({ ...env, NODE_ID: id, SERVICES: services.join(",") }),
      store,
      kv,
      transporter: new LocalTransporter(network, id),
      logDestination: { write: (line) => void log.push(JSON.parse(line) as LogLine) },
      ...own,
    });
    await node.start();
    return node;
  };

  beforeAll(async () => {
    const presence = {
      name: "presence",
      actions: {
        get: {
          ...actionOf(get),
          handler: () => Promise.reject(new Error("nobody expected this")),
        },
        report: () => undefined,
      },
    };
    core = await start("core", ROLES.core, { services: [presence] });
    edge = await start("edge", [...ROLES.io, ...ROLES.gateway]);
    ({ accessToken: token } = await call(edge.broker, "auth.guest", { name: "Ann" }));
    socket = io(edge.url, { transports: ["websocket"], forceNew: true, auth: { token } });
    await until("it is connected", () => socket.connected);
  });

  afterAll(async () => {
    socket.disconnect();
    await edge.stop();
    await core.stop();
  });

  const linesOf = (requestId: string | undefined) =>
    log.filter((line) => line.requestId === requestId).map(({ level, nodeID, action }) => ({ level, nodeID, action }));

  it("is found in that node's log by the id that a socket's client was told", async () => {
    const payload = { userIds: ["somebody"] };
    const answer = (await socket.timeout(5_000).emitWithAck("presence.get", payload)) as { error: WireError };
    expect(answer.error).toMatchObject({ type: "INTERNAL" });
    expect(linesOf(answer.error.requestId)).toEqual([{ level: ERROR, nodeID: "core", action: "presence.get" }]);
  });

  it("is found in that node's log by the id that a REST client was told", async () => {
    const response = await fetch(`${edge.url}/v1/presence`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ userIds: ["somebody"] }),
    });
    const { error } = (await response.json()) as { error: WireError };
    expect(error).toMatchObject({ type: "INTERNAL", requestId: response.headers.get("x-request-id") });
    expect(linesOf(error.requestId)).toEqual([{ level: ERROR, nodeID: "core", action: "presence.get" }]);
  });

  it("leaves no token and nothing that was sent in any log", () => {
    expect(log.length).toBeGreaterThan(0);
    for (const text of [token, "somebody"]) expect(JSON.stringify(log)).not.toContain(text);
  });
});
