import type { Clock } from "../../lib/actor/ports";
import { keepNewest } from "../../lib/keep-newest";

/** Being told the same again within this time is told to nobody. */
const REPEAT_MS = 1_000;
/** Conversations of one socket that are remembered. */
const MAX_CONVERSATIONS = 50;

/** Where a socket types: for every member, or for the staff. */
export interface TypingPlace {
  readonly conversationId: string;
  readonly audience?: "staff";
}

interface Said {
  readonly place: TypingPlace;
  readonly on: boolean;
  readonly at: number;
}

/** What a socket said last about typing: keeps repeats from being told, and knows what to take back when it goes. */
export class TypingState {
  private readonly last = new WeakMap<object, Map<string, Said>>();

  constructor(private readonly clock: Pick<Clock, "now">) {}

  /** Notes it; false when the others know already. */
  isNews(socket: object, place: TypingPlace, on: boolean): boolean {
    const said = this.last.get(socket) ?? new Map<string, Said>();
    this.last.set(socket, said);
    const key = `${place.audience ?? "all"}/${place.conversationId}`;
    const now = this.clock.now();
    const before = said.get(key);
    if (before ? before.on === on && now - before.at < REPEAT_MS : !on) return false;
    said.delete(key);
    said.set(key, { place, on, at: now });
    keepNewest(said, MAX_CONVERSATIONS);
    return true;
  }

  /** Forgets the socket. Answers where it was typing. */
  forget(socket: object): TypingPlace[] {
    const said = [...(this.last.get(socket)?.values() ?? [])];
    this.last.delete(socket);
    return said.filter(({ on }) => on).map(({ place }) => place);
  }
}
