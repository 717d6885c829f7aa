import type { Contract } from "../../lib/contract";
import * as room from "../../services/room/room.contract";
import * as session from "../../services/session/session.contract";
import { overRest } from "./invoke";
import type { ServerApi, TestUser } from "./api";

/** People who stand in different relations to one session and one group. */
export interface Cast {
  /** A customer: opened the session and made the group. */
  readonly owner: TestUser;
  /** Serves the session. */
  readonly agent: TestUser;
  /** An agent who has nothing to do with either. */
  readonly otherAgent: TestUser;
  /** A customer who has nothing to do with either. */
  readonly otherCustomer: TestUser;
  /** An agent who served the session and was in the group, and left both. */
  readonly removed: TestUser;
}

/** One session and one group with a message each. */
export interface Stage {
  readonly sessionId: string;
  readonly groupId: string;
  /** The seq of the owner's message in the session, and in the group. */
  readonly sessionSeq: number;
  readonly groupSeq: number;
}

export async function makeCast(server: ServerApi): Promise<Cast> {
  const [owner, otherCustomer] = (await server.users(2)) as [TestUser, TestUser];
  const [agent, otherAgent, removed] = (await server.users(3, ["agent"])) as [TestUser, TestUser, TestUser];
  return { owner, agent, otherAgent, otherCustomer, removed };
}

/** Sets a fresh session and group up. */
export async function setStage(server: ServerApi, { owner, agent, removed }: Cast): Promise<Stage> {
  const call = async <T>(contract: Contract, user: TestUser, params: object): Promise<T> => {
    const outcome = await overRest(server.url, contract, { commandId: crypto.randomUUID(), ...params }, user.token);
    if (!outcome.ok) throw new Error(`${contract.name}: ${JSON.stringify(outcome.error)}`);
    return outcome.data as T;
  };
  const { id: sessionId } = await call<{ id: string }>(session.open, owner, { topic: crypto.randomUUID() });
  await call(session.claim, removed, { sessionId });
  await call(session.giveBack, removed, { sessionId });
  await call(session.claim, agent, { sessionId });
  const members = [agent.id, removed.id];
  const { id: groupId } = await call<{ id: string }>(room.create, owner, { kind: "group", members });
  await call(room.leave, removed, { conversationId: groupId });
  const say = async (conversationId: string): Promise<number> => {
    const body = { commandId: crypto.randomUUID(), text: "For members only" };
    const answer = await server.rest("POST", `/conversations/${conversationId}/messages`, owner.token, body);
    return answer.expect<{ seq: number }>(201).seq;
  };
  return { sessionId, groupId, sessionSeq: await say(sessionId), groupSeq: await say(groupId) };
}
