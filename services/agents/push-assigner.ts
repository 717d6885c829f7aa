import { sideBySide } from "../../lib/side-by-side";
import { assign, type Assignment, type Candidate, type Needs } from "../session/assignment";
import type { ListedSession } from "../session/session-lists";

/** A candidate, and the slots that are known to be taken. */
export interface TeamMember extends Candidate {
  readonly slots: ReadonlySet<number>;
}

/** How an attempt ended. `over`: the session no longer waits, or nobody knows; `not available`: the agent no longer is. */
export type Outcome = "assigned" | "slot taken" | "not available" | "over";

export interface PushPorts {
  /** Whoever might be given sessions now. */
  team(): Promise<TeamMember[]>;
  /** Waiting sessions of topics that push, the first of the queue first; a bounded number. */
  waiting(): Promise<ListedSession[]>;
  /** What the topic asks for: cheap. */
  skills(session: ListedSession): Promise<readonly string[]>;
  needs(session: ListedSession): Promise<Needs>;
  push(session: ListedSession, agentId: string, slot: number): Promise<Outcome>;
  /** A session was given to somebody, and why. A failure is reported by the port itself. */
  assigned(session: ListedSession, agentId: string, why: Assignment): Promise<void>;
}

/** Sessions that are given at once, in the order of the queue. */
const BATCH = 16;

/**
 * Gives waiting sessions to agents. It decides on what it reads, which may be old; what makes it right are the slots,
 * each of which one event in the world can take. So any number of nodes may do it at once.
 */
export class PushAssigner {
  constructor(private readonly ports: PushPorts) {}

  /** One pass over the queue. Answers how many sessions were given. */
  async pass(): Promise<number> {
    const team = new Team(await this.ports.team());
    if (!team.hasRoom) return 0;
    let assigned = 0;
    let waiting = await this.ports.waiting();
    while (waiting.length > 0 && team.hasRoom) {
      const outcomes = await this.give(waiting.slice(0, BATCH), team);
      assigned += outcomes;
      waiting = waiting.slice(BATCH);
    }
    return assigned;
  }

  /** Gives this session to the best of the team, or tells why nobody got it. */
  async one(session: ListedSession, members: readonly TeamMember[]): Promise<{ why: Assignment; agentId?: string }> {
    const team = new Team(members);
    const needs = await this.ports.needs(session);
    const place = team.take(needs);
    const agentId = place && (await this.push({ session, needs, ...place }, team));
    const why = place?.why ?? assign(members, needs);
    return agentId === undefined ? { why } : { why, agentId };
  }

  /** Places are chosen in the order of the queue, then taken side by side. */
  private async give(sessions: readonly ListedSession[], team: Team): Promise<number> {
    const asked = await Promise.all(sessions.map((session) => this.ask(session, team)));
    const attempts = asked.flat().flatMap(({ session, needs }) => {
      const place = team.take(needs);
      return place ? [{ session, needs, ...place }] : [];
    });
    let assigned = 0;
    await sideBySide(attempts, BATCH, async (attempt) => {
      if ((await this.push(attempt, team)) !== undefined) assigned++;
    });
    return assigned;
  }

  /** Nothing when nobody comes into question, whatever else it needs. */
  private async ask(session: ListedSession, team: Team): Promise<Array<Pick<Attempt, "session" | "needs">>> {
    const skills = await this.ports.skills(session);
    if (!team.couldTake({ skills, customerId: session.session.customerId })) return [];
    return [{ session, needs: await this.ports.needs(session) }];
  }

  /** Tries one place after the other. Answers who got the session. */
  private async push(attempt: Attempt, team: Team): Promise<string | undefined> {
    const { session, needs } = attempt;
    for (let place: Place | undefined = attempt; place; place = team.take(needs)) {
      const { agentId, slot, why } = place;
      const outcome = await this.ports.push(session, agentId, slot);
      if (outcome === "assigned") {
        await this.ports.assigned(session, agentId, why);
        return agentId;
      }
      team.missed(place, outcome);
      if (outcome === "over") return undefined;
    }
    return undefined;
  }
}

interface Place {
  readonly agentId: string;
  readonly slot: number;
  readonly why: Assignment;
}

interface Attempt extends Place {
  readonly session: ListedSession;
  readonly needs: Needs;
}

interface Seat {
  candidate: Candidate;
  readonly slots: Set<number>;
}

/** The agents during one pass: what has been given out in it counts already. */
class Team {
  private readonly seats: Map<string, Seat>;
  private turn = 0;

  constructor(members: readonly TeamMember[]) {
    this.seats = new Map(
      members.map(({ slots, ...candidate }) => [candidate.agentId, { candidate, slots: new Set(slots) }]),
    );
  }

  get hasRoom(): boolean {
    return [...this.seats.values()].some(({ candidate: { takes, load, capacity } }) => takes && load < capacity);
  }

  couldTake(needs: Needs): boolean {
    return this.assign(needs).order.length > 0;
  }

  /** Takes a place of the best agent. */
  take(needs: Needs): Place | undefined {
    const why = this.assign(needs);
    const [best] = why.order;
    const seat = best && this.seats.get(best.agentId);
    if (!seat) return undefined;
    const slot = freeSlot(seat);
    if (slot === undefined) {
      // What takes the slots is not in the projections yet.
      seat.candidate = { ...best, load: best.capacity };
      return this.take(needs);
    }
    seat.slots.add(slot);
    // Of equals the one who was given none in this pass is before those who were.
    seat.candidate = { ...best, load: best.load + 1, lastAssignedAt: LATEST + ++this.turn };
    return { agentId: best.agentId, slot, why };
  }

  private assign(needs: Needs): Assignment {
    return assign(
      [...this.seats.values()].map(({ candidate }) => candidate),
      needs,
    );
  }

  /** The place was not got. A taken slot stays taken, and counts: somebody else has just given the agent a session. */
  missed({ agentId, slot }: Place, outcome: Outcome): void {
    const seat = this.seats.get(agentId);
    if (!seat || outcome === "slot taken") return;
    const { candidate } = seat;
    seat.candidate = { ...candidate, load: candidate.load - 1, takes: candidate.takes && outcome !== "not available" };
    seat.slots.delete(slot);
  }
}

/** Beyond any time. */
const LATEST = Number.MAX_SAFE_INTEGER / 2;

function freeSlot({ candidate, slots }: Seat): number | undefined {
  for (let slot = 1; slot <= candidate.capacity; slot++) if (!slots.has(slot)) return slot;
  return undefined;
}
