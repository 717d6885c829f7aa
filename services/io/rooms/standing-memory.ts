import type { Audience, StandingChange } from "../../../actors/conversation/conversation.events";
import type { Clock } from "../../../lib/actor/ports";
import type { RoomLimits } from "./ports";

export interface RememberedStanding {
  readonly conversationId: string;
  readonly seq: number;
  readonly standing: Audience | "none";
  readonly until: number;
}

/**
 * The newest standing of users in conversations, as events told it lately. The projections lag behind the log, so a
 * socket that connects right after its user became a member finds the membership here. Bounded; oldest go first.
 */
export class StandingMemory {
  private readonly users = new Map<string, Map<string, RememberedStanding>>();
  /** Insertion order is age: user and conversation of each entry. */
  private readonly order = new Map<RememberedStanding, string>();

  constructor(
    private readonly clock: Clock,
    private readonly limits: Pick<RoomLimits, "memory" | "memoryMs">,
  ) {}

  note(conversationId: string, seq: number, { userId, standing }: StandingChange): void {
    const user = this.users.get(userId) ?? new Map<string, RememberedStanding>();
    const known = user.get(conversationId);
    if (known && known.seq >= seq) return;
    if (known) this.order.delete(known);
    const entry = { conversationId, seq, standing, until: this.clock.now() + this.limits.memoryMs };
    user.set(conversationId, entry);
    this.users.set(userId, user);
    this.order.set(entry, userId);
    this.forgetOld();
  }

  newest(userId: string, conversationId: string): RememberedStanding | undefined {
    return this.users.get(userId)?.get(conversationId);
  }

  of(userId: string): RememberedStanding[] {
    return [...(this.users.get(userId)?.values() ?? [])];
  }

  private forgetOld(): void {
    const now = this.clock.now();
    for (const [entry, userId] of this.order) {
      if (entry.until > now && this.order.size <= this.limits.memory) return;
      this.order.delete(entry);
      const user = this.users.get(userId);
      user?.delete(entry.conversationId);
      if (user?.size === 0) this.users.delete(userId);
    }
  }
}
