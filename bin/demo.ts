import type { WireEvent } from "../services/schemas";
import { CommandFailure, readOptions, runCommand } from "./command-line";
import { playDesk } from "./demo/desk";
import { Participant } from "./demo/participant";
import { check, printTranscript } from "./demo/transcript";
import { chosenServer } from "./local-server";
import { administrator, type Api, api, findServer, type Login, patient } from "./rest-client";

const USAGE = `npm run demo

Plays a support conversation against the server of HOST and PORT and checks what both sides saw, then shows the support
desk: a queue, an assignment by push, a transfer and an expiry.
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Session {
  id: string;
  conversationId: string;
  status: string;
  agentId?: string;
  lastSeq: number;
}

async function main(): Promise<void> {
  readOptions(USAGE, {});
  const { config, url } = chosenServer();
  const server = api(url, patient(say));
  await findServer(url);
  const participants: Participant[] = [];
  try {
    await play(server, await administrator(server, config), participants);
  } finally {
    for (const participant of participants) participant.close();
  }
}

async function play(server: Api, admin: Login, participants: Participant[]): Promise<void> {
  const run = crypto.randomUUID().slice(0, 8);
  const guest = await server.post<Login>("/auth/guest", { name: "Ada" });
  const account = { email: `grace-${run}@example.org`, password: crypto.randomUUID(), name: "Grace" };
  const agent = await server.post<Login>("/auth/signup", account);
  await server.put(`/users/${agent.user.id}/roles`, { roles: ["agent"] }, admin.accessToken);
  say(`Ada is a guest, Grace is an agent; both connect to ${server.url}`);

  const ada = await Participant.connect(server.url, "Ada", guest, participants);
  const grace = await Participant.connect(server.url, "Grace", agent, participants);

  const opening = { topic: `demo-${run}`, subject: "A parcel", text: "Hello, my parcel has not arrived." };
  const opened = await ada.command<Session>("session.open", opening);
  say(`Ada opened session ${opened.id}, it is ${opened.status}`);
  const claimed = await grace.command<Session>("session.claim", { sessionId: opened.id });
  say(`Grace claimed it, it is ${claimed.status}`);
  for (const participant of [ada, grace]) await participant.catchUp(opened.conversationId);

  const spoken = [{ by: guest.user.id, text: opening.text }, ...(await talk(server, opened, ada, grace, agent))];
  const closed = await grace.command<Session>("session.close", { sessionId: opened.id, reason: "solved" });
  say(`Grace closed the session, it is ${closed.status}`);
  await refusedAfterClose(ada, opened.conversationId);

  const last = await server.get<Session>(`/sessions/${opened.id}`, guest.accessToken);
  for (const participant of [ada, grace]) await participant.reaches(opened.conversationId, last.lastSeq);
  printTranscript(ada.events(opened.conversationId), new Map([ada, grace].map((who) => [who.id, who.name])), say);
  const views = [ada, grace].map((who) => ({ name: who.name, events: who.events(opened.conversationId) }));
  check(views, last.lastSeq, spoken, await readHistory(server, opened.conversationId, guest));
  say(`OK: ${last.lastSeq} events, seen by both once and in order, and the same in the history`);
  await playDesk({ server, admin, run, grace, participants, say });
}

/** The conversation itself, with Grace offline in the middle. @returns what was said, in order */
async function talk(server: Api, session: Session, ada: Participant, grace: Participant, agent: Login) {
  const { conversationId } = session;
  const spoken: Array<{ by: string; text: string }> = [];
  const send = async (who: Participant, text: string): Promise<number> => {
    const { seq } = await who.command<WireEvent>("message.send", { conversationId, text });
    spoken.push({ by: who.id, text });
    return seq;
  };
  await send(grace, "Good morning Ada, let me look. What is its number?");
  const cursor = await send(ada, "It is 4711.");

  await grace.reaches(conversationId, cursor);
  await grace.loseConnection();
  say(`Grace lost her connection after seq ${cursor}; Ada keeps writing`);
  for (const text of ["It was sent on Monday.", "From Hamburg.", "Are you still there?"]) await send(ada, text);
  await grace.comeBack();
  const missed = await grace.catchUp(conversationId);
  say(`Grace is back and caught up on ${missed} events with conversation.sync`);

  await send(grace, "Sorry, my train was in a tunnel. It arrives tomorrow.");
  const text = "I have written that into your account, too.";
  const key = crypto.randomUUID();
  const path = `/conversations/${conversationId}/messages`;
  const first = await server.post<WireEvent>(path, { text }, agent.accessToken, key);
  const again = await server.post<WireEvent>(path, { text }, agent.accessToken, key);
  if (first.seq !== again.seq)
    throw new CommandFailure(`the same Idempotency-Key made seq ${first.seq} and ${again.seq}`);
  spoken.push({ by: grace.id, text });
  say(`Grace wrote over REST and repeated the request: both answers name seq ${first.seq}`);
  await send(ada, "Thank you!");
  return spoken;
}

async function refusedAfterClose(ada: Participant, conversationId: string): Promise<void> {
  const refusal = await ada.command("message.send", { conversationId, text: "One more thing" }).then(
    () => "accepted",
    (error: unknown) => (error as { type?: string }).type,
  );
  if (refusal !== "SESSION_CLOSED") throw new CommandFailure(`sending after the close was answered with ${refusal}`);
}

async function readHistory(server: Api, conversationId: string, login: Login) {
  type Page = { messages: Array<{ seq: number; id: string; by: string; text?: string }>; hasMore: boolean };
  const page = await server.get<Page>(`/conversations/${conversationId}/messages?limit=100`, login.accessToken);
  return page.messages;
}

runCommand(main);
