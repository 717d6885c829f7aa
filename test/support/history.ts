import type { WireEvent } from "../../services/schemas";
import type { History, Stay } from "./oracle";
import type { ServerApi, TestUser } from "./api";

/** The whole log of a conversation as this member may see it. */
export async function readLog(server: ServerApi, conversationId: string, member: TestUser): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for (let more = true; more;) {
    const cursors = { [conversationId]: events.at(-1)?.seq ?? 0 };
    const answer = await server.rest("POST", "/conversations/sync", member.token, { cursors });
    const page = answer.expect<{ events: WireEvent[]; reset: string[]; more: boolean }>(200);
    if (page.reset.length > 0) throw new Error(`${member.id} was told to load ${conversationId} afresh`);
    events.push(...page.events);
    more = page.more;
  }
  return events;
}

/** A log for the oracle, all of these users having been members from the beginning. */
export const asHistory = (conversationId: string, log: readonly WireEvent[], members: readonly string[]): History => ({
  conversationId,
  events: log.map(({ seq, id, by, commandId, type, data }) => ({
    seq,
    id,
    by,
    commandId,
    ...(type === "message.created" ? { content: String(data["text"]) } : {}),
  })),
  members: new Map(members.map((userId): [string, Stay[]] => [userId, [{ from: 1 }]])),
});
