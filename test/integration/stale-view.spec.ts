import { ParleyClient, Refusal } from "../support/client";
import { startServer, type TestServer, type TestUser } from "../support/server";

interface Opened {
  id: string;
  conversationId: string;
}

describe("a reply that overlooks a colleague's answer", () => {
  let server: TestServer;
  let agent: ParleyClient;
  let supervisor: ParleyClient;
  let customer: ParleyClient;
  let conversationId: string;

  const connect = (user: TestUser): Promise<ParleyClient> =>
    ParleyClient.open({ url: server.url, user: user.id, token: user.token });
  const say = (client: ParleyClient, text: string, more: { baseSeq?: number; force?: boolean } = {}) =>
    client.request<{ seq: number }>("message.send", { conversationId, commandId: crypto.randomUUID(), text, ...more });
  const refusalOf = (sending: Promise<unknown>): Promise<Refusal> =>
    sending.then(
      () => {
        throw new Error("it was accepted");
      },
      (error: unknown) => {
        if (error instanceof Refusal) return error;
        throw error;
      },
    );

  beforeAll(async () => {
    server = await startServer();
    const [guest, first, second] = [await server.guest(), await server.user("agent"), await server.user("supervisor")];
    [customer, agent, supervisor] = [await connect(guest), await connect(first), await connect(second)];
    const commandId = () => ({ commandId: crypto.randomUUID() });
    const opened = await customer.command<Opened>("session.open", commandId());
    conversationId = opened.conversationId;
    await agent.command("session.claim", { ...commandId(), sessionId: opened.id });
    await supervisor.command("conversation.join", { ...commandId(), conversationId });
  }, 60_000);

  afterAll(async () => {
    for (const client of [customer, agent, supervisor]) client.close();
    await server.stop();
  }, 30_000);

  it("is refused with the missed events and stores nothing", async () => {
    const { seq: baseSeq } = await say(agent, "Let me see");
    const { seq: missed } = await say(supervisor, "It is in the mail");

    const refusal = await refusalOf(say(agent, "I do not know", { baseSeq }));

    expect(refusal.type).toBe("STALE_VIEW");
    expect(refusal.retryable).toBe(false);
    expect(refusal.data?.["events"]).toEqual([
      expect.objectContaining({ seq: missed, by: supervisor.user, data: { text: "It is in the mail" } }),
    ]);
    expect(await say(supervisor, "And there is more")).toEqual(expect.objectContaining({ seq: missed + 1 }));
  });

  it("goes through with force, or when the view is up to date", async () => {
    const { seq: baseSeq } = await say(supervisor, "One");

    await expect(say(agent, "Seen", { baseSeq })).resolves.toEqual(expect.objectContaining({ seq: baseSeq + 1 }));
    await say(supervisor, "Two");
    await expect(say(agent, "Anyway", { baseSeq, force: true })).resolves.toBeDefined();
  });

  it("may be sent again with the same commandId once the view is up to date", async () => {
    const { seq: baseSeq } = await say(agent, "Hm");
    const { seq: newer } = await say(supervisor, "Three");
    const command = { conversationId, commandId: crypto.randomUUID(), text: "Now I know" };
    expect((await refusalOf(agent.request("message.send", { ...command, baseSeq }))).type).toBe("STALE_VIEW");

    await expect(agent.request("message.send", { ...command, baseSeq: newer })).resolves.toEqual(
      expect.objectContaining({ seq: newer + 1 }),
    );
  });

  it("is no matter when only the customer or the sender wrote", async () => {
    const { seq: baseSeq } = await say(agent, "What is the number?");
    await say(customer, "4711");

    await expect(say(agent, "Thank you", { baseSeq })).resolves.toBeDefined();
    await expect(say(agent, "One moment", { baseSeq })).resolves.toBeDefined();
    await expect(say(customer, "Yes", { baseSeq: 0 })).resolves.toBeDefined();
  });
});
