import { io, type Socket } from "socket.io-client";
import type { WireEvent } from "../../services/schemas";
import type { TestUser } from "../support/api";
import { ParleyClient } from "../support/client";
import { TestCluster } from "../support/cluster";
import { asHistory, readLog } from "../support/history";
import { judge, report } from "../support/oracle";
import { until } from "../support/wait";

const MESSAGES = 20;

describe("a cluster", () => {
  let cluster: TestCluster;
  const clients: ParleyClient[] = [];
  const sockets: Socket[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.start({ gateway: 2, io: 2, core: 3 });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    for (const socket of sockets.splice(0)) socket.disconnect();
  });
  afterAll(() => cluster.stop());

  const open = async (user: TestUser, url = cluster.url): Promise<ParleyClient> => {
    const client = await ParleyClient.open({ url, user: user.id, token: user.token });
    clients.push(client);
    return client;
  };
  const [ioUrl, otherIoUrl] = [() => cluster.node("io-1").url, () => cluster.node("io-2").url];

  it("lets a guest and an agent talk who are connected to two io nodes", async () => {
    const [guest, agent] = [await cluster.guest(), await cluster.user("agent")];
    const [asking, helping] = [await open(guest, ioUrl()), await open(agent, otherIoUrl())];
    const { id, conversationId } = await asking.command<{ id: string; conversationId: string }>("session.open", {
      commandId: "open",
      topic: "billing",
    });
    await helping.command("session.claim", { commandId: "claim", sessionId: id });
    for (let n = 0; n < MESSAGES; n++) {
      await asking.send(conversationId, `question ${n}`);
      await helping.send(conversationId, `answer ${n}`);
    }
    const log = await readLog(cluster, conversationId, guest);
    await asking.reaches(conversationId, log.length);
    await helping.reaches(conversationId, log.length);
    expect(log).toHaveLength(2 + 2 * MESSAGES);
    expect(report(judge([asking, helping], [asHistory(conversationId, log, [guest.id, agent.id])]))).toBe("");
  });

  it("serves REST and sockets at one address, and clients that connect spread over the io nodes", async () => {
    const users = await cluster.users(4);
    await Promise.all(users.map((user) => open(user)));
    for (const { url } of cluster.of("io")) {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toMatch(/^parley_sockets [1-3]$/m);
    }
  });

  it("serves a stock client that only polls, through two io nodes", async () => {
    const [anna, ben] = (await cluster.users(2)) as [TestUser, TestUser];
    const [talking, listening] = [await poll(anna), await poll(ben)];
    const got: string[] = [];
    listening.on("events", (events: WireEvent[]) => {
      for (const { data } of events) if (typeof data["text"] === "string") got.push(data["text"]);
    });
    const group = { commandId: "group", kind: "group", members: [ben.id] };
    const created = (await talking.emitWithAck("conversation.create", group)) as { data: { id: string } };
    const texts = Array.from({ length: MESSAGES }, (_, n) => `text ${n}`);
    for (const text of texts) {
      const command = { commandId: text, conversationId: created.data.id, text };
      expect(await talking.emitWithAck("message.send", command)).toMatchObject({ ok: true });
    }
    await until("all are there", () => got.length === MESSAGES);
    expect(got).toEqual(texts);
  });

  async function poll(user: TestUser): Promise<Socket> {
    const socket = io(cluster.url, { transports: ["polling"], forceNew: true, auth: { token: user.token } });
    sockets.push(socket);
    await until("it is connected", () => socket.connected);
    return socket;
  }
});
