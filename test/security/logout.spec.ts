import type { Context } from "moleculer";
import { type Login, outcome, heard, type SocketNode, startSocketNode } from "../support/socket-node";
import { until } from "../support/wait";

describe("a login that ends", () => {
  let node: SocketNode;
  beforeAll(async () => {
    node = await startSocketNode();
  });
  afterAll(() => node.stop());

  it("closes its sockets within a second, says so, and serves nothing more", async () => {
    const user = await node.user();
    const sockets = await Promise.all([node.connect(user), node.connect(user)]);
    const reasons = sockets.map((socket) => heard(socket, "revoked"));
    const loggedOut = Date.now();
    await node.logout(user);
    await until("all are closed", () => sockets.every((socket) => socket.disconnected), 1_000);
    expect(Date.now() - loggedOut).toBeLessThan(1_000);
    expect(reasons).toEqual([[{ reason: "revoked" }], [{ reason: "revoked" }]]);
    await expect(node.connect(user)).rejects.toThrow("Unauthorized");
  });

  it("leaves the other logins of the user alone", async () => {
    const first = await node.user();
    const admin = { id: "admin", roles: ["admin"], guest: false, family: "test" };
    const { email } = await node.broker.call<{ email: string }, object>(
      "users.get",
      { id: first.id },
      { meta: { user: admin } },
    );
    const pair = await node.broker.call<{ accessToken: string; refreshToken: string }, object>("auth.login", {
      email,
      password: "correct horse",
    });
    const second: Login = { id: first.id, token: pair.accessToken, refreshToken: pair.refreshToken };
    const [a, b] = await Promise.all([node.connect(first), node.connect(second)]);
    await node.logout(first);
    await until("closed", () => a.disconnected);
    expect(await outcome(b, "conversation.list")).toBe("ok");
  });

  it("is not brought back by reuse of a spent refresh token: the sockets go too", async () => {
    const user = await node.user();
    const socket = await node.connect(user);
    await node.broker.call("auth.refresh", { refreshToken: user.refreshToken });
    await node.broker.call("auth.refresh", { refreshToken: user.refreshToken }).catch(() => undefined);
    await until("closed", () => socket.disconnected, 1_000);
  });
});

describe("a slow call that began before the logout", () => {
  it("answers nobody afterwards and brings no identity back", async () => {
    let release = (): void => undefined;
    let begun = 0;
    const held = new Promise<void>((resolve) => (release = resolve));
    const node = await startSocketNode();
    node.broker.createService({
      name: "slow",
      actions: {
        async wait(ctx: Context<object, { user?: object }>) {
          begun++;
          await held;
          return { user: ctx.meta.user };
        },
      },
    });
    await node.broker.waitForServices("slow");
    const call = node.broker.call.bind(node.broker) as (...args: unknown[]) => Promise<unknown>;
    const slowed = jest
      .spyOn(node.broker, "call")
      .mockImplementation(((name: string, ...rest: unknown[]) =>
        name === "room.list" ? call("slow.wait", ...rest) : call(name, ...rest)) as never);
    const user = await node.user();
    const socket = await node.connect(user);
    const answers: unknown[] = [];
    socket.emit("conversation.list", {}, (answer: unknown) => answers.push(answer));
    await until("the slow call has begun", () => begun === 1);
    await node.logout(user);
    await until("closed", () => socket.disconnected, 1_000);
    release();
    await expect(node.connect(user)).rejects.toThrow("Unauthorized");
    expect(answers).toEqual([]);
    slowed.mockRestore();
    await node.stop();
  });
});

describe("an access token that expires on a live socket", () => {
  it("ends the socket, which is told why", async () => {
    const node = await startSocketNode({ env: { ACCESS_TOKEN_SECONDS: "1" } });
    const socket = await node.connect(await node.guest());
    const reasons = heard(socket, "revoked");
    await until("closed", () => socket.disconnected, 4_000);
    expect(reasons).toEqual([{ reason: "expired" }]);
    await node.stop();
  });
});

describe("a change of roles", () => {
  let node: SocketNode;
  beforeAll(async () => {
    node = await startSocketNode();
  });
  afterAll(() => node.stop());

  it("gives a live socket its new rights within a second", async () => {
    const user = await node.user();
    const socket = await node.connect(user);
    expect(await outcome(socket, "session.queue", { subscribe: true })).toBe("FORBIDDEN");
    await node.setRoles(user.id, "agent");
    await until(
      "the queue opens",
      async () => (await outcome(socket, "session.queue", { subscribe: true })) === "ok",
      1_000,
    );
  });

  it("takes rights away from a live socket, and the queue it was subscribed to", async () => {
    const user = await node.user("agent");
    const socket = await node.connect(user);
    const changes = heard(socket, "queue");
    expect(await outcome(socket, "session.queue", { subscribe: true })).toBe("ok");
    await node.setRoles(user.id, "customer");
    await until(
      "the queue is closed",
      async () => (await outcome(socket, "session.queue", { subscribe: true })) === "FORBIDDEN",
      1_000,
    );
    const customer = await node.connect(await node.guest());
    const watcher = await node.connect(await node.user("agent"));
    const seen = heard(watcher, "queue");
    expect(await outcome(watcher, "session.queue", { subscribe: true })).toBe("ok");
    expect(await outcome(customer, "session.open", { commandId: "c" })).toBe("ok");
    await until("others see the session", () => seen.length > 0);
    expect(await outcome(socket, "conversation.list")).toBe("ok");
    expect(changes).toEqual([]);
  });
});
