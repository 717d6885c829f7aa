import { WebSocket } from "ws";
import { CONTRACTS } from "../../services/contracts";
import { RawSocket } from "../support/raw-socket";
import { heard, outcome, type SocketNode, startSocketNode } from "../support/socket-node";
import { until } from "../support/wait";

const EVENTS = CONTRACTS.flatMap(({ socket }) => (socket === undefined ? [] : [socket]));
/** Names that mean something inside: actions of services, of the broker, of the libraries underneath. */
const INSIDE = [
  "call",
  "$node.list",
  "$node.options",
  "io.broadcast",
  "io.call",
  "io.drain",
  "io.getClients",
  "broadcast",
  "getClients",
  "room.command",
  "room.events",
  "room.memberships",
  "users.principal",
  "users.setRoles",
  "users.credentials",
  "auth.revocations",
  "auth.login",
  "presence.report",
  "session.list",
  "events",
  "revoked",
  "error",
  "constructor",
  "__proto__",
  "toString",
  "",
];

describe("who may open a socket", () => {
  let node: SocketNode;
  beforeAll(async () => {
    node = await startSocketNode();
  });
  afterAll(() => node.stop());

  const refusalOf = async (...[token, options]: Parameters<SocketNode["client"]>): Promise<Error> => {
    const socket = node.client(token, options);
    const errors = heard<Error>(socket, "connect_error");
    return until("a refusal", () => errors[0]);
  };

  it("refuses a client without a valid token, in exactly these words", async () => {
    const { refreshToken, token } = await node.guest();
    for (const wrong of [undefined, "", "garbage", refreshToken, `${token}x`, "null"]) {
      expect((await refusalOf(wrong)).message).toBe("Unauthorized");
    }
  });

  it("refuses tokens that are not strings", async () => {
    for (const token of [1, null, {}, ["a"], true]) {
      expect((await refusalOf(undefined, { auth: { token } })).message).toBe("Unauthorized");
    }
  });

  it("refuses a token in the query string", async () => {
    const { token } = await node.guest();
    expect((await refusalOf(undefined, { query: { token } })).message).toBe("Unauthorized");
    expect((await refusalOf(undefined, { query: { auth: token, Authorization: `Bearer ${token}` } })).message).toBe(
      "Unauthorized",
    );
  });

  it("takes the token from the handshake or from the Authorization header", async () => {
    const guest = await node.guest();
    expect((await node.connect(guest)).connected).toBe(true);
    const extraHeaders = { Authorization: `Bearer ${guest.token}` };
    const byHeader = node.client(undefined, { extraHeaders });
    await until("connected", () => byHeader.connected);
  });

  it("knows no other namespace", async () => {
    const { token } = await node.guest();
    const raw = await RawSocket.open(node.url);
    raw.send(`40/admin,${JSON.stringify({ token })}`);
    await until("a refusal", () => raw.received.some((text) => text.startsWith("44/admin,")));
    expect(raw.received.some((text) => text.startsWith("40"))).toBe(false);
    raw.terminate();
  });

  it("serves no event to a connection that never said who it is", async () => {
    for (const event of [...EVENTS, ...INSIDE]) {
      const raw = await RawSocket.open(node.url);
      raw.send(`420${JSON.stringify([event, {}])}`);
      await until(`${event}: the connection is closed`, () => raw.closed);
      expect(raw.received.filter((text) => text.startsWith("4"))).toEqual([]);
    }
  });

  it("serves no event on a connection whose token was refused", async () => {
    const raw = await RawSocket.open(node.url);
    raw.send('40{"token":"garbage"}');
    await until("refused", () => raw.received.some((text) => text.startsWith("44")));
    raw.send('420["conversation.list",{}]');
    await until("closed", () => raw.closed);
    expect(raw.received.some((text) => text.startsWith("43"))).toBe(false);
  });

  it("closes a connection that keeps guessing", async () => {
    const raw = await RawSocket.open(node.url);
    for (let attempt = 0; attempt < 10; attempt++) raw.send(`40{"token":"guess-${attempt}"}`);
    await until("closed", () => raw.closed);
    expect(raw.received.filter((text) => text.startsWith("44")).length).toBeLessThanOrEqual(4);
  });

  it("answers only the documented events to a user", async () => {
    const socket = await node.connect(await node.user("admin"));
    for (const event of INSIDE) expect([event, await outcome(socket, event, {})]).toEqual([event, "UNKNOWN_EVENT"]);
    for (const event of EVENTS) expect([event, await outcome(socket, event, {})]).not.toEqual([event, "UNKNOWN_EVENT"]);
  });

  it("does not let a client speak to other clients through the server", async () => {
    const [loud, quiet] = await Promise.all([node.guest(), node.guest()]);
    const [a, b] = await Promise.all([node.connect(loud), node.connect(quiet)]);
    const received = heard(b, "events");
    for (const event of ["io.broadcast", "broadcast", "call", "events"]) {
      await outcome(a, event, { event: "events", args: ["forged"] });
      await outcome(a, "call", event, { event: "events", args: ["forged"] });
    }
    await outcome(b, "conversation.list");
    expect(received).toEqual([]);
  });

  it("refuses what only staff may do", async () => {
    const socket = await node.connect(await node.guest());
    const command = { sessionId: "x", commandId: "c" };
    expect(await outcome(socket, "session.queue", { subscribe: true })).toBe("FORBIDDEN");
    expect(await outcome(socket, "session.claim", command)).toBe("FORBIDDEN");
    expect(await outcome(socket, "session.transfer", { ...command, to: { topic: "t" } })).toBe("FORBIDDEN");
  });

  it("answers typing alike for a foreign conversation and one that does not exist", async () => {
    const [anna, ben, eve] = await Promise.all([node.user(), node.user(), node.user()]);
    const [a, e] = await Promise.all([node.connect(anna), node.connect(eve)]);
    const command = { commandId: "c1", kind: "direct", members: [ben.id] };
    const created = (await a.emitWithAck("conversation.create", command)) as { data: { id: string } };
    const answers = await Promise.all(
      [created.data.id, "missing"].map(
        async (conversationId) =>
          ((await e.emitWithAck("typing", { conversationId, on: true })) as { error: object }).error,
      ),
    );
    const [foreign, missing] = answers.map((error) => ({ ...error, requestId: undefined }));
    expect(foreign).toMatchObject({ type: "NOT_FOUND" });
    expect(foreign).toEqual(missing);
  });
});

describe("pages of foreign origins", () => {
  const openedWith = async (url: string, origin: string | undefined): Promise<boolean> => {
    const ws = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, {
      headers: origin === undefined ? {} : { origin },
    });
    ws.on("error", () => undefined);
    await until("opened or refused", () => ws.readyState !== WebSocket.CONNECTING);
    const opened = ws.readyState === WebSocket.OPEN;
    ws.terminate();
    return opened;
  };
  const polledWith = async (url: string, origin: string | undefined): Promise<number> => {
    const headers: Record<string, string> = origin === undefined ? {} : { origin };
    return (await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers })).status;
  };

  it("cannot open a socket, by either transport, unless they are allowed", async () => {
    const node = await startSocketNode();
    const own = node.url;
    for (const foreign of ["https://evil.example", "null", own.replace("127.0.0.1", "127.0.0.1.evil.example")]) {
      expect([foreign, await openedWith(own, foreign)]).toEqual([foreign, false]);
      expect([foreign, await polledWith(own, foreign)]).toEqual([foreign, 403]);
    }
    for (const welcome of [undefined, own]) {
      expect([welcome, await openedWith(own, welcome)]).toEqual([welcome, true]);
      expect([welcome, await polledWith(own, welcome)]).toEqual([welcome, 200]);
    }
    await node.stop();
  });

  it("may when they are on the list", async () => {
    const node = await startSocketNode({ env: { ALLOWED_ORIGINS: "https://shop.example" } });
    expect(await openedWith(node.url, "https://shop.example")).toBe(true);
    expect(await polledWith(node.url, "https://shop.example")).toBe(200);
    expect(await openedWith(node.url, "https://evil.example")).toBe(false);
    expect(await openedWith(node.url, node.url)).toBe(false);
    await node.stop();
  });
});

describe("how many sockets may be open", () => {
  it("is bounded for a user", async () => {
    const node = await startSocketNode({ env: { LIMIT_SOCKETS_PER_USER: "2" } });
    const guest = await node.guest();
    await node.connect(guest);
    const second = await node.connect(guest);
    await expect(node.connect(guest)).rejects.toMatchObject({ data: { type: "RATE_LIMITED", retryable: true } });
    second.disconnect();
    await until("room for another one", () =>
      node.connect(guest).then(
        () => true,
        () => false,
      ),
    );
    await node.stop();
  });

  it("is bounded for a node", async () => {
    const node = await startSocketNode({ env: { LIMIT_SOCKETS: "2" } });
    const guest = await node.guest();
    await Promise.all([node.connect(guest), node.connect(guest)]);
    await expect(node.connect(guest)).rejects.toThrow();
    await node.stop();
  });
});
