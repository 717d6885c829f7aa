import type { Socket } from "socket.io-client";
import { RawSocket } from "../support/raw-socket";
import { ask, get, heard, outcome, type SocketNode, startSocketNode } from "../support/socket-node";
import { until } from "../support/wait";

const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);

/** What no Socket.IO client sends. */
const JUNK: ReadonlyArray<string | Buffer> = [
  "",
  "4",
  "42",
  "42[",
  "42{}",
  "42[]",
  "42[null]",
  "42[{}]",
  '42["connect"]',
  '42["disconnect"]',
  '42["newListener",{}]',
  "421",
  '42999999999999999999999999["conversation.list",{}]',
  '42-1["conversation.list",{}]',
  '42/,["conversation.list",{}]',
  '42/admin,["conversation.list",{}]',
  "43[1]",
  "430[]",
  "44{}",
  "45",
  '451-["message.send",{"_placeholder":true,"num":0}]',
  '4599999-["x"]',
  '461-0["x"]',
  "47",
  "49",
  "5",
  "6",
  "9",
  "x",
  "\u0000",
  "4\u0000",
  Buffer.from([0, 1, 2, 3]),
  Buffer.alloc(0),
  Buffer.from('42["conversation.list",{}]'),
  `42["conversation.list",${nested(20_000, "[", "]")}]`,
  `42["conversation.sync",{"cursors":${nested(8_000, '{"a":', "}").replace("}", "1}")}}]`,
  `42[${"1,".repeat(20_000)}1]`,
  '42["conversation.list",{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]',
];

describe("what a client may send", () => {
  let node: SocketNode;
  let bystander: Socket;
  beforeAll(async () => {
    node = await startSocketNode();
    bystander = await node.connect(await node.user());
  });
  afterAll(() => node.stop());

  const serving = async (): Promise<void> => {
    expect(bystander.connected).toBe(true);
    expect(await outcome(bystander, "conversation.list")).toBe("ok");
  };

  it("is answered or ends that connection, whatever it is; others notice nothing", async () => {
    const { token } = await node.user();
    for (const junk of JUNK) {
      const [anonymous, known] = await Promise.all([RawSocket.open(node.url), RawSocket.connect(node.url, token)]);
      for (const raw of [anonymous, known]) {
        raw.send(junk);
        raw.send('427["conversation.list",{}]');
        await until(`${String(junk).slice(0, 40)}: answered or closed`, () => {
          return raw.closed || raw.received.some((text) => text.startsWith("437"));
        });
        raw.terminate();
      }
      expect(anonymous.received.some((text) => text.startsWith("43"))).toBe(false);
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    await serving();
  });

  it("is a JSON object: anything else is VALIDATION", async () => {
    const socket = await node.connect(await node.user());
    for (const payload of [null, 1, "text", true, [], [{}]]) {
      expect([payload, await outcome(socket, "conversation.list", payload)]).toEqual([payload, "VALIDATION"]);
    }
  });

  it("holds no binary: that ends the connection", async () => {
    const socket = await node.connect(await node.user());
    socket.emit("conversation.list", { cursor: Buffer.from("x") });
    await until("closed", () => socket.disconnected);
    await serving();
  });

  it("is at most 64 kB: more ends the connection, and only that one", async () => {
    const user = await node.user();
    const [modest, greedy] = await Promise.all([node.connect(user), node.connect(user)]);
    expect(await outcome(modest, "conversation.list", { ignored: "x".repeat(60_000) })).toBe("ok");
    greedy.emit("conversation.list", { ignored: "x".repeat(70_000) });
    await until("closed", () => greedy.disconnected);
    expect(modest.connected).toBe(true);
    await serving();
  });

  it("gets no unknown error text back", async () => {
    const socket = await node.connect(await node.user());
    const call = jest.spyOn(node.broker, "call").mockRejectedValue(new Error("mongodb://user:secret@host/db"));
    const reply = await ask(socket, "conversation.list");
    call.mockRestore();
    expect(reply).toMatchObject({
      ok: false,
      error: { type: "INTERNAL", message: "Something went wrong on our side." },
    });
    expect(JSON.stringify(reply)).not.toContain("secret");
  });
});

describe("a flood", () => {
  const LIMITS = { LIMIT_PACKETS_PER_SECOND: "20", LIMIT_USER_PACKETS_PER_SECOND: "30" };

  it("is refused with the time to wait, and whoever goes on is disconnected", async () => {
    const node = await startSocketNode({ env: LIMITS });
    const [bystander, flooding] = await Promise.all([node.connect(await node.user()), node.connect(await node.user())]);
    const errors = heard<{ type: string; retryable: boolean; data: { retryInMs: number } }>(flooding, "error");
    for (let n = 0; n < 100; n++) flooding.emit("conversation.list", {});
    await until("refusals", () => errors.length >= 50);
    expect(errors[0]).toMatchObject({ type: "RATE_LIMITED", retryable: true });
    expect(errors[0]?.data.retryInMs).toBeGreaterThan(0);
    expect(await outcome(bystander, "conversation.list")).toBe("ok");
    for (let n = 0; n < 1_000; n++) flooding.emit("conversation.list", {});
    await until("disconnected", () => flooding.disconnected);
    expect(await outcome(bystander, "conversation.list")).toBe("ok");
    await node.stop();
  });

  it("is not made smaller by spreading it over several sockets of one user", async () => {
    const node = await startSocketNode({ env: LIMITS });
    const user = await node.user();
    const sockets = await Promise.all([1, 2, 3, 4].map(() => node.connect(user)));
    const outcomes = await Promise.all(
      sockets.flatMap((socket) => Array.from({ length: 30 }, () => outcome(socket, "conversation.list"))),
    );
    const served = outcomes.filter((one) => one === "ok").length;
    expect(served).toBeGreaterThanOrEqual(60);
    expect(served).toBeLessThan(90);
    expect(outcomes.filter((one) => one === "RATE_LIMITED")).toHaveLength(outcomes.length - served);
    await node.stop();
  });

  it("of acknowledgements nobody asked for ends the connection", async () => {
    const node = await startSocketNode();
    const raw = await RawSocket.connect(node.url, (await node.user()).token);
    raw.send("430[1]");
    await until("closed", () => raw.closed);
    await node.stop();
  });
});

describe("a client that does not read", () => {
  it("gets everything in order when it reads again before too much waits for it", async () => {
    const node = await startSocketNode({ env: { SOCKET_BUFFER_BYTES: "67108864" } });
    const [anna, ben] = await Promise.all([node.user(), node.user()]);
    const sender = await node.connect(anna);
    const command = { commandId: "create", kind: "direct", members: [ben.id] };
    const { id: conversationId } = await get<{ id: string }>(sender, "conversation.create", command);
    const slow = await RawSocket.connect(node.url, ben.token);
    const seqs = (): number[] =>
      slow.received
        .filter((packet) => packet.startsWith('42["events"'))
        .flatMap((packet) => (JSON.parse(packet.slice(2)) as [string, Array<{ seq: number }>])[1])
        .map(({ seq }) => seq);
    const text = "x".repeat(8_000);
    let sent = 0;
    const send = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          get(sender, "message.send", { conversationId, commandId: `c${++sent}`, text }),
        ),
      );
    await send(1);
    await until("it is live", () => seqs().length === 1);
    for (let round = 0; round < 2; round++) {
      slow.pause();
      await send(600);
      slow.resume();
      await send(100);
    }
    await until("it has everything", () => seqs().at(-1) === sent + 1);
    expect(seqs()).toEqual(Array.from({ length: sent }, (_, n) => n + 2));
    slow.terminate();
    await node.stop();
  }, 40_000);

  it("is cut off when too much waits for it, and the others get everything", async () => {
    const node = await startSocketNode({ env: { SOCKET_BUFFER_BYTES: "65536" } });
    const [anna, ben] = await Promise.all([node.user(), node.user()]);
    const [sender, reader] = await Promise.all([node.connect(anna), node.connect(ben)]);
    const deaf = await RawSocket.connect(node.url, ben.token);
    const { id: conversationId } = await get<{ id: string }>(sender, "conversation.create", {
      commandId: "create",
      kind: "direct",
      members: [ben.id],
    });
    const frames = heard<Array<{ seq: number }>>(reader, "events");
    const connections = async (): Promise<number> =>
      (
        await node.broker.call<{ users: Array<{ userId: string; connections: number }> }, object>("presence.who", {})
      ).users.find(({ userId }) => userId === ben.id)?.connections ?? 0;
    await until("both sockets of the reader are known", async () => (await connections()) === 2);
    deaf.pause();
    let sent = 0;
    const text = "x".repeat(8_000);
    await until("the deaf one is cut off", async () => {
      await Promise.all(
        Array.from({ length: 100 }, () =>
          get(sender, "message.send", { conversationId, commandId: `c${++sent}`, text }),
        ),
      );
      return (await connections()) === 1;
    });
    await until("the reader has everything", () => frames.flat().some(({ seq }) => seq === sent + 1));
    expect(reader.connected).toBe(true);
    deaf.terminate();
    await node.stop();
  }, 40_000);
});
