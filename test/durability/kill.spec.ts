import { setTimeout as pause } from "node:timers/promises";
import { ParleyClient } from "../support/client";
import { asHistory, readLog } from "../support/history";
import { type History, judge, report } from "../support/oracle";
import { startServer, type TestServer, type TestUser } from "../support/server";
import { until } from "../support/wait";

const CONVERSATIONS = 100;
const KILLS = 20;
const PAUSE_MS = 300;

interface Talk {
  readonly conversationId: string;
  readonly users: readonly TestUser[];
  readonly clients: readonly ParleyClient[];
}

describe("killing the server", () => {
  let server: TestServer;
  const talks: Talk[] = [];

  beforeAll(async () => {
    server = await startServer({ env: { ACCESS_TOKEN_SECONDS: "3600" } });
    const users = await server.users(CONVERSATIONS * 2);
    const pairs = Array.from({ length: CONVERSATIONS }, (_, at) => users.slice(at * 2, at * 2 + 2));
    talks.push(...(await Promise.all(pairs.map((pair) => openTalk(server, pair)))));
  }, 60_000);

  afterAll(async () => {
    for (const client of talks.flatMap(({ clients }) => clients)) client.close();
    await server.stop();
  }, 30_000);

  it("loses, doubles and reorders nothing in 20 kills under load", async () => {
    let acks = 0;
    let stopping = false;
    const chatter = async (client: ParleyClient, conversationId: string): Promise<void> => {
      for (let number = 1; !stopping; number++) {
        await client.send(conversationId, `${client.user} says ${number}`);
        acks++;
        await pause(PAUSE_MS * (0.5 + Math.random()));
      }
    };
    const chatting = talks.flatMap(({ clients, conversationId }) =>
      clients.map((client) => chatter(client, conversationId)),
    );
    const ended = Promise.all(chatting);
    ended.catch(() => (stopping = true));
    for (let kill = 0; kill < KILLS && !stopping; kill++) {
      const enough = acks + 10 + Math.floor(Math.random() * 150);
      await until(`${enough} acknowledgements, kill ${kill}`, () => stopping || acks >= enough, 30_000);
      await server.kill("SIGKILL");
      await server.start();
    }
    stopping = true;
    await ended;

    const histories: History[] = [];
    for (const { conversationId, users, clients } of talks) {
      const [reader] = users;
      if (!reader) throw new Error("a talk without users");
      const log = await readLog(server, conversationId, reader);
      for (const client of clients) await client.reaches(conversationId, log.length).catch(() => undefined);
      histories.push(
        asHistory(
          conversationId,
          log,
          users.map(({ id }) => id),
        ),
      );
    }
    const clients = talks.flatMap((talk) => talk.clients);
    expect(report(judge(clients, histories))).toBe("");
    expect(clients.flatMap(({ resets }) => resets)).toEqual([]);
    expect(acks).toBeGreaterThan(KILLS * 10);
  }, 240_000);
});

async function openTalk(server: TestServer, users: readonly TestUser[]): Promise<Talk> {
  const clients = await Promise.all(
    users.map(({ id, token }) => ParleyClient.open({ url: server.url, user: id, token, ackTimeoutMs: 3_000 })),
  );
  const [first] = clients;
  const created = await first?.command<{ id: string }>("conversation.create", {
    commandId: crypto.randomUUID(),
    kind: "direct",
    members: [users[1]?.id],
  });
  if (!created) throw new Error("a talk without users");
  for (const client of clients) client.view.follow(created.id);
  return { conversationId: created.id, users, clients };
}
