import type { Clock } from "../../lib/actor/ports";
import { keepNewest } from "../../lib/keep-newest";

/** Being told the same again within this time is told to nobody. */
const REPEAT_MS = 1_000;
/** Conversations of one socket that are remembered. */
const MAX_CONVERSATIONS = 50;

/** What a socket said last about typing: keeps repeats from being told, and knows what to take back when it goes. */
export class TypingState {
  private readonly last = new WeakMap<object, Map<string, { on: boolean; at: number }>>();

  constructor(private readonly clock: Pick<Clock, "now">) {}

  /** Notes it; false when the others know already. */
  isNews(socket: object, conversationId: string, on: boolean): boolean {
    const said = this.last.get(socket) ?? new Map<string, { on: boolean; at: number }>();
    this.last.set(socket, said);
    const now = this.clock.now();
    const before = said.get(conversationId);
    if (before ? before.on === on && now - before.at < REPEAT_MS : !on) return false;
    said.delete(conversationId);
    said.set(conversationId, { on, at: now });
    keepNewest(said, MAX_CONVERSATIONS);
    return true;
  }

  /** Forgets the socket. Answers the conversations in which it was typing. */
  forget(socket: object): string[] {
    const said = this.last.get(socket);
    this.last.delete(socket);
    return said ? [...said].filter(([, { on }]) => on).map(([conversationId]) => conversationId) : [];
  }
}
