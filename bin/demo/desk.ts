import type { SessionView as Session } from "../../services/conversation-views";
import { CommandFailure } from "../command-line";
import type { Api, Login } from "../rest-client";
import { Participant } from "./participant";

export interface Stage {
  readonly server: Api;
  readonly admin: Login;
  /** Names this run. */
  readonly run: string;
  /** An agent. */
  readonly grace: Participant;
  /** Everybody who is connected, for closing. */
  readonly participants: Participant[];
  say(line: string): void;
}

const PUSH = "demo-push";
const BRIEF = "demo-brief";
const WARN_MS = 1_000;
const EXPIRE_MS = 2_500;

/** The support desk: places in the queue, a push, a transfer that is taken up, an end by silence. @throws CommandFailure */
export async function playDesk(stage: Stage): Promise<void> {
  const { say } = stage;
  say("\nThe support desk");
  const topics = await describeTopics(stage);
  try {
    const [ben, cleo, linus] = [await guest(stage, "Ben"), await guest(stage, "Cleo"), await agent(stage, "Linus")];
    await queueAndPush(stage, ben, cleo, linus);
    await expiry(cleo, say);
  } finally {
    for (const { id, version } of topics)
      await stage.server.post(`/topics/${id}/archive`, { version }, stage.admin.accessToken);
  }
  say("OK: pushed to one agent only, taken up by another, and ended by time alone");
}

async function queueAndPush(stage: Stage, ben: Participant, cleo: Participant, linus: Participant): Promise<void> {
  const { grace, say } = stage;
  await sweep(grace);
  const first = await ben.command<Session>("session.open", { topic: PUSH, text: "My card was declined." });
  await ben.stands(first.id, 1);
  const second = await cleo.command<Session>("session.open", { topic: PUSH, text: "Where is my refund?" });
  await cleo.stands(second.id, 2);
  say("Ben and Cleo wait: Ben is 1st in the queue, Cleo is 2nd");

  await grace.command("agent.availability", { availability: "online" });
  await pushed(grace, first);
  say("Grace is online now, with room for one: Ben's session was pushed to her");
  await cleo.stands(second.id, 1);
  say("Cleo was told that she is 1st");

  await grace.command("message.send", { conversationId: first.id, text: "Linus knows cards, one moment." });
  const hand = { sessionId: first.id, to: { agentId: linus.id }, note: "A declined card." };
  await grace.command("session.transfer", hand);
  const { agentId, attendedAt } = await linus.command<Session>("session.attend", { sessionId: first.id });
  if (agentId !== linus.id || attendedAt === undefined) throw new CommandFailure("Linus did not get Ben's session");
  say("Grace transferred it to Linus, with a note; he took it up in time");
  await pushed(grace, second);
  say("Grace has room again: Cleo's session was pushed to her");

  await linus.command("session.close", { sessionId: first.id, reason: "solved" });
  await ben.command("session.rate", { sessionId: first.id, score: 5 });
  await grace.command("session.close", { sessionId: second.id, reason: "solved" });
  say("Both were closed; Ben gave 5 of 5");
}

async function expiry(customer: Participant, say: Stage["say"]): Promise<void> {
  const { id } = await customer.command<Session>("session.open", { topic: BRIEF });
  await customer.catchUp(id);
  await customer.sees(id, "session.warned");
  say(`${customer.name} opened another session and says nothing: warned after ${WARN_MS / 1_000} s of silence`);
  const { data, by } = await customer.sees(id, "session.closed");
  if (data["reason"] !== "expired") throw new CommandFailure(`it was closed by ${by}: ${String(data["reason"])}`);
  say(`After ${EXPIRE_MS / 1_000} s it was closed with the reason "expired"`);
}

/** Describes both topics, the archived ones of an earlier run too. @returns the versions that they have now */
async function describeTopics({ server, admin, run }: Stage): Promise<Array<{ id: string; version: number }>> {
  type Topic = { id: string; version: number };
  const read = (id: string) =>
    server.get<Topic>(`/topics/${id}`, admin.accessToken).catch((error: unknown) => {
      if (error instanceof CommandFailure && error.type === "NOT_FOUND") return { id, version: 0 };
      throw error;
    });
  const put = async (id: string, description: object) => {
    const { version } = await read(id);
    return server.put<Topic>(`/topics/${id}`, { version, urgency: "normal", ...description }, admin.accessToken);
  };
  const push = { name: "Demo", mode: "push", skills: [skillOf(run)], rules: { acceptMs: 60_000 } };
  const brief = { name: "Demo, brief", mode: "pull", rules: { warnMs: WARN_MS, expireMs: EXPIRE_MS } };
  return [await put(PUSH, push), await put(BRIEF, brief)];
}

const skillOf = (run: string): string => `demo-${run}`;

async function guest({ server, participants }: Stage, name: string): Promise<Participant> {
  return Participant.connect(server.url, name, await server.post<Login>("/auth/guest", { name }), participants);
}

/** Another agent, who has what the topic asks for and takes nothing by push; Grace gets the same skill and one slot. */
async function agent({ server, admin, run, grace, participants }: Stage, name: string): Promise<Participant> {
  const account = { email: `${name.toLowerCase()}-${run}@example.org`, password: crypto.randomUUID(), name };
  const login = await server.post<Login>("/auth/signup", account);
  await server.put(`/users/${login.user.id}/roles`, { roles: ["agent"] }, admin.accessToken);
  const described = { skills: [skillOf(run)], capacity: 1 };
  for (const id of [login.user.id, grace.id]) await server.put(`/agents/${id}`, described, admin.accessToken);
  return Participant.connect(server.url, name, login, participants);
}

/** Closes what a run that was interrupted left in the queue. */
async function sweep(by: Participant): Promise<void> {
  const { sessions } = await by.command<{ sessions: Session[] }>("session.queue", { subscribe: true, topic: PUSH });
  for (const { id: sessionId } of sessions) {
    await by.command("session.claim", { sessionId });
    await by.command("session.close", { sessionId, reason: "left behind" });
  }
}

async function pushed(to: Participant, { id }: Session): Promise<void> {
  const { data } = await to.sees(id, "session.assigned");
  if (data["via"] !== "push" || data["agentId"] !== to.id)
    throw new CommandFailure(`the session was not pushed to ${to.name}: ${JSON.stringify(data)}`);
}
