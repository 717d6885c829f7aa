import fc from "fast-check";
import type { ListedSession } from "../../../services/session/session-lists";
import { type Outcome, PushAssigner, type PushPorts, type TeamMember } from "../../../services/agents/push-assigner";
import { sessionState } from "../../support/session-state";
import { settle } from "../../support/virtual-clock";

interface AgentSeat {
  readonly id: string;
  readonly capacity: number;
  readonly skills: readonly string[];
  takes: boolean;
}

interface Waiting {
  readonly id: string;
  readonly rank: number;
  readonly skills: readonly string[];
  agentId?: string;
  slot?: number;
}

const sessionOf = ({ id, rank }: Waiting): ListedSession => ({
  id,
  seq: 1,
  session: sessionState({ customerId: `customer of ${id}`, enteredAt: rank, rank }),
});

/** Agents, sessions and slots as the log has them; what the ports read may be older. */
class Desk {
  readonly sessions: Waiting[] = [];
  /** Slots whose taking nobody has read yet. */
  lags = false;
  readonly refused: string[] = [];
  private read: TeamMember[] | undefined;

  constructor(
    readonly agents: readonly AgentSeat[],
    sessions: ReadonlyArray<Pick<Waiting, "rank" | "skills">>,
  ) {
    this.sessions.push(...sessions.map((each, index) => ({ ...each, id: `s${index}` })));
  }

  ofAgent(id: string): Waiting[] {
    return this.sessions.filter(({ agentId }) => agentId === id);
  }

  ports(): PushPorts {
    return {
      team: async () => {
        if (!this.lags || !this.read) this.read = this.team();
        return this.read;
      },
      waiting: async () =>
        this.sessions
          .filter(({ agentId }) => agentId === undefined)
          .sort((a, b) => a.rank - b.rank)
          .map(sessionOf),
      skills: async ({ id }) => this.find(id).skills,
      needs: async ({ id, session }) => ({ skills: this.find(id).skills, customerId: session.customerId }),
      push: async ({ id }, agentId, slot) => {
        await settle();
        return this.push(this.find(id), agentId, slot);
      },
      assigned: () => Promise.resolve(),
    };
  }

  private push(session: Waiting, agentId: string, slot: number): Outcome {
    if (!this.agents.find(({ id }) => id === agentId)?.takes) return "not available";
    if (session.agentId !== undefined) return "over";
    if (this.ofAgent(agentId).some((other) => other.slot === slot)) {
      this.refused.push(`${agentId}/${slot}`);
      return "slot taken";
    }
    Object.assign(session, { agentId, slot });
    return "assigned";
  }

  private team(): TeamMember[] {
    return this.agents.map(({ id, takes, skills, capacity }) => {
      const open = this.ofAgent(id);
      return {
        agentId: id,
        takes,
        skills,
        capacity,
        load: open.length,
        slots: new Set(open.map((one) => one.slot ?? 0)),
      };
    });
  }

  private find(id: string): Waiting {
    const found = this.sessions.find((session) => session.id === id);
    if (!found) throw new Error(`there is no ${id}`);
    return found;
  }
}

const seat = (id: string, capacity: number, more: Partial<AgentSeat> = {}): AgentSeat => ({
  id,
  capacity,
  skills: [],
  takes: true,
  ...more,
});
const queue = (count: number, skills: readonly string[] = []) =>
  Array.from({ length: count }, (_, rank) => ({ rank, skills }));

describe("the push assigner", () => {
  it("gives the first of the queue, as many as there is room for", async () => {
    const desk = new Desk([seat("a", 3), seat("b", 2)], queue(40).reverse());
    expect(await new PushAssigner(desk.ports()).pass()).toBe(5);
    const given = desk.sessions.filter(({ agentId }) => agentId !== undefined);
    expect(given.map(({ rank }) => rank).sort()).toEqual([0, 1, 2, 3, 4]);
    expect([desk.ofAgent("a").length, desk.ofAgent("b").length]).toEqual([3, 2]);
    expect(await new PushAssigner(desk.ports()).pass()).toBe(0);
  });

  it("goes past a session that nobody can take", async () => {
    const desk = new Desk([seat("a", 5, { skills: ["german"] })], [...queue(20, ["french"]), { rank: 99, skills: [] }]);
    expect(await new PushAssigner(desk.ports()).pass()).toBe(1);
    expect(desk.ofAgent("a").map(({ rank }) => rank)).toEqual([99]);
  });

  it("takes another slot or agent when the one it found is taken meanwhile", async () => {
    const desk = new Desk([seat("a", 3), seat("b", 3)], queue(6));
    desk.lags = true;
    const [first, second] = [new PushAssigner(desk.ports()), new PushAssigner(desk.ports())];
    await first.one(sessionOf(desk.sessions[0] as Waiting), await desk.ports().team());
    expect(await second.pass()).toBe(5);
    expect(desk.refused.length).toBeGreaterThan(0);
    expect([desk.ofAgent("a").length, desk.ofAgent("b").length]).toEqual([3, 3]);
  });

  it("gives nothing to an agent who is no longer available when it comes to it", async () => {
    const desk = new Desk([seat("a", 3), seat("b", 3)], queue(4));
    const ports = desk.ports();
    const team = await ports.team();
    (desk.agents[0] as AgentSeat).takes = false;
    await new PushAssigner({ ...ports, team: () => Promise.resolve(team) }).pass();
    expect([desk.ofAgent("a").length, desk.ofAgent("b").length]).toEqual([0, 3]);
  });

  it("says why nobody gets a session", async () => {
    const desk = new Desk([seat("a", 0)], queue(1));
    const { why, agentId } = await new PushAssigner(desk.ports()).one(
      sessionOf(desk.sessions[0] as Waiting),
      await desk.ports().team(),
    );
    expect([agentId, why.reason]).toEqual([undefined, "nobody fits: 1 at capacity"]);
  });

  const skills = fc.subarray(["german", "loan"]);
  const agents = fc
    .array(fc.record({ capacity: fc.nat(4), skills, takes: fc.boolean() }), { maxLength: 4 })
    .map((seats) => seats.map((each, index) => ({ ...each, id: `a${index}` })));
  const sessions = fc.array(fc.record({ rank: fc.nat(50), skills }), { maxLength: 30 });

  it("never goes over a capacity or gives a session twice, however many nodes do it on old news", async () => {
    await fc.assert(
      fc.asyncProperty(agents, sessions, fc.integer({ min: 1, max: 4 }), async (team, waiting, nodes) => {
        const desk = new Desk(team, waiting);
        desk.lags = true;
        const passes = Array.from({ length: nodes }, () => new PushAssigner(desk.ports()).pass());
        const given = (await Promise.all(passes)).reduce((sum, each) => sum + each, 0);
        expect(desk.sessions.filter(({ agentId }) => agentId !== undefined)).toHaveLength(given);
        for (const { id, capacity, takes, skills: own } of desk.agents) {
          const got = desk.ofAgent(id);
          expect(got.length).toBeLessThanOrEqual(takes ? capacity : 0);
          for (const { skills: asked } of got) expect(own).toEqual(expect.arrayContaining([...asked]));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("forgets no session that somebody has room for", async () => {
    await fc.assert(
      fc.asyncProperty(agents, sessions, async (team, waiting) => {
        const desk = new Desk(team, waiting);
        while ((await new PushAssigner(desk.ports()).pass()) > 0);
        const left = desk.sessions.filter(({ agentId }) => agentId === undefined);
        for (const { skills: asked } of left) {
          const withRoom = desk.agents.filter(
            ({ id, takes, capacity, skills: own }) =>
              takes && desk.ofAgent(id).length < capacity && asked.every((skill) => own.includes(skill)),
          );
          expect(withRoom).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
