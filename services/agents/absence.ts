import { sideBySide } from "../../lib/side-by-side";
import type { ListedSession } from "../session/session-lists";
import type { AgentDocument, AgentStore } from "./agents.store";
import type { OpenSessions } from "./open-sessions";

export interface AbsencePorts {
  readonly agents: Pick<AgentStore, "pages" | "left" | "cameBack">;
  readonly sessions: Pick<OpenSessions, "of">;
  /** Which of these users have a connection. @throws when nobody knows */
  connected(userIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Gives a session back to the queue. What the log refuses is no failure. */
  giveBack(session: ListedSession, agentId: string, dueAt: number): Promise<boolean>;
  now(): number;
}

const RETURNS_AT_ONCE = 8;

/**
 * One look at who is connected: notes who lost the last connection and who is back, and gives the sessions of those who
 * have been gone for longer than the topic's grace back to the queue where the topic says so. Doing it twice at once
 * changes nothing. Answers how many were given back.
 */
export async function watchAbsence(ports: AbsencePorts): Promise<number> {
  let returned = 0;
  for await (const agents of ports.agents.pages()) {
    const now = ports.now();
    const connected = await ports.connected(agents.map(({ _id }) => _id));
    const isHere = ({ _id }: AgentDocument): boolean => connected.has(_id);
    const wasHere = ({ absentSince }: AgentDocument): boolean => absentSince === undefined;
    const left = agents.filter((agent) => !isHere(agent) && wasHere(agent));
    const back = agents.filter((agent) => isHere(agent) && !wasHere(agent));
    const idsOf = (some: readonly AgentDocument[]) => some.map(({ _id }) => _id);
    await Promise.all([ports.agents.left(idsOf(left), now), ports.agents.cameBack(idsOf(back))]);
    const gone = agents.filter((agent) => !isHere(agent) && !wasHere(agent));
    returned += await returnSessions(ports, gone, now);
  }
  return returned;
}

async function returnSessions(ports: AbsencePorts, gone: readonly AgentDocument[], now: number): Promise<number> {
  const absentSince = new Map(gone.map((agent) => [agent._id, agent.absentSince ?? now]));
  const due = (await ports.sessions.of([...absentSince.keys()])).flatMap((listed) => {
    const { agentId = "", rules } = listed.session;
    const dueAt = (absentSince.get(agentId) ?? Infinity) + rules.graceMs;
    return rules.offline === "return" && dueAt <= now ? [{ listed, agentId, dueAt }] : [];
  });
  let returned = 0;
  await sideBySide(due, RETURNS_AT_ONCE, async ({ listed, agentId, dueAt }) => {
    if (await ports.giveBack(listed, agentId, dueAt)) returned++;
  });
  return returned;
}
