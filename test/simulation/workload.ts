import type { CommandParams } from "../../actors/conversation/conversation.commands";
import type { Desk } from "../../actors/conversation/conversation.session-state";
import type { Client } from "./client";
import type { Request } from "./messages";
import { NOTE, type Oracle } from "./oracle";
import type { TimedSessions } from "./timed-sessions";
import type { World } from "./world";

export interface User {
  readonly id: string;
  readonly role: "customer" | "agent" | "supervisor";
}

type Draft = {
  [K in Request["action"]]: { conversationId: string; action: K; params: CommandParams[K] };
}[Request["action"]];

const TOPICS = ["help", "sales"];
const EMOJI = ["+1", "heart"];
const GHOSTS = 105;
/** One sync of all of them fits into a node that keeps few activations. */
const MOST_CONVERSATIONS = 40;

/** What the users do: direct and group talk, support sessions, and things they may not do. */
export class Workload {
  private drawn = 0;
  /** Share of new conversations, drawn for each history: few busy ones or many quiet ones. */
  private readonly creations: number;

  constructor(
    private readonly world: World,
    private readonly oracle: Oracle,
    private readonly users: readonly User[],
    private readonly clients: readonly Client[],
    private readonly largeGroups: boolean,
    private readonly asides: ReadonlyArray<(client: Client) => void>,
    private readonly timed?: Pick<TimedSessions, "desk">,
  ) {
    this.creations = world.random.logBetween(0.04, 0.5);
  }

  /** Lets one client do one thing, or several clients the same thing at once. */
  act(): void {
    const { random } = this.world;
    const client = random.pick(this.clients);
    if (random.chance(0.15)) return random.pick(this.asides)(client);
    if (random.chance(0.12)) return this.race(client);
    const draft = this.draft(client);
    if (draft) this.perform(client, draft);
  }

  /** Lets somebody of each conversation write. */
  knock(): void {
    for (const id of this.oracle.histories.keys()) {
      const client = this.clients.find(({ userId }) => this.oracle.standing(id, userId) !== "none");
      if (client) this.perform(client, { conversationId: id, action: "send", params: { text: this.fresh("knock") } });
    }
  }

  private perform(client: Client, draft: Draft, commandId = this.fresh("k")): void {
    const role = this.users.find(({ id }) => id === client.userId)?.role;
    const request = { ...draft, commandId, by: client.userId, supervises: role === "supervisor" } as Request;
    void client.perform(request);
    // The same command again, from another connection of the same user.
    if (this.world.random.chance(0.1)) {
      const others = this.clients.filter((other) => other.userId === client.userId);
      void this.world.random.pick(others).perform(request);
    }
  }

  private race(client: Client): void {
    const { random } = this.world;
    const open = this.sessions();
    if (open.length > 0 && random.chance(0.5)) {
      const conversationId = random.pick(open);
      const agents = this.clients.filter(({ userId }) => userId.startsWith("agent"));
      for (const agent of agents) this.perform(agent, { conversationId, action: "claim", params: {} });
      return;
    }
    if (!client.userId.startsWith("customer")) return;
    const topic = random.pick(TOPICS);
    const own = open.filter((id) => this.oracle.state(id).session?.customerId === client.userId);
    if (own.length > 0 && random.chance(0.6))
      this.perform(client, { conversationId: random.pick(own), action: "close", params: {} });
    for (let i = 0; i < 3; i++) this.open(client, topic);
  }

  private open(client: Client, topic: string): void {
    const commandId = this.fresh("k");
    const conversationId = `s.${client.userId}.${commandId}`;
    this.perform(
      client,
      { conversationId, action: "open", params: { topic, urgency: "normal", ...this.desk() } },
      commandId,
    );
  }

  private desk(): { desk?: Desk } {
    return this.timed ? { desk: this.timed.desk() } : {};
  }

  private create(client: Client): void {
    const { random } = this.world;
    const other = random.pick(this.users).id;
    if (random.chance(0.5) && other !== client.userId) {
      const pair = [client.userId, other].sort();
      const params = { kind: "direct", members: [other] } as const;
      return this.perform(client, {
        conversationId: `d.${pair.join(".")}`,
        action: "create",
        params: { ...params, members: [other] },
      });
    }
    const commandId = this.fresh("k");
    const members = this.users.filter(() => random.chance(0.4)).map(({ id }) => id);
    if (this.largeGroups) for (let i = 0; i < GHOSTS; i++) members.push(`ghost${i}`);
    const conversationId = `g.${client.userId}.${commandId}`;
    this.perform(client, { conversationId, action: "create", params: { kind: "group", members } }, commandId);
  }

  private draft(client: Client): Draft | undefined {
    const { random } = this.world;
    if (this.oracle.histories.size < MOST_CONVERSATIONS && random.chance(this.creations))
      return void this.create(client);
    const roll = random.float();
    if (roll < 0.08) {
      if (client.userId.startsWith("customer")) this.open(client, random.pick(TOPICS));
      return undefined;
    }
    const conversationId = this.conversation(client);
    if (conversationId === undefined) return void this.create(client);
    if (roll < 0.62) return { conversationId, action: "send", params: this.message(client, conversationId) };
    if (roll < 0.76) return this.about(conversationId);
    if (roll < 0.88 && conversationId.startsWith("g.")) return this.membership(conversationId);
    return this.sessionStep(conversationId);
  }

  private message(client: Client, id: string): CommandParams["send"] {
    const { random } = this.world;
    const note = client.userId.startsWith("agent") && random.chance(0.25);
    const params: CommandParams["send"] = { text: this.fresh(note ? NOTE : "text") };
    if (random.chance(0.1)) params.replyTo = 1 + random.int(this.oracle.head(id) + 1);
    if (random.chance(0.1)) params.baseSeq = random.int(this.oracle.head(id) + 1);
    return params;
  }

  private about(conversationId: string): Draft {
    const { random } = this.world;
    const seq = 1 + random.int(this.oracle.head(conversationId) + 1);
    const roll = random.float();
    if (roll < 0.3) return { conversationId, action: "edit", params: { seq, text: this.fresh("edited") } };
    if (roll < 0.45) return { conversationId, action: "delete", params: { seq } };
    return { conversationId, action: "react", params: { seq, emoji: random.pick(EMOJI), on: random.chance(0.7) } };
  }

  private membership(conversationId: string): Draft {
    const { random } = this.world;
    if (random.chance(0.45)) return { conversationId, action: "leave", params: {} };
    return { conversationId, action: "invite", params: { userId: random.pick(this.users).id } };
  }

  private sessionStep(fallback: string): Draft {
    const { random } = this.world;
    const open = this.sessions();
    const conversationId = open.length > 0 ? random.pick(open) : fallback;
    const roll = random.float();
    if (roll < 0.35) return { conversationId, action: "claim", params: {} };
    if (roll < 0.5) return { conversationId, action: "return", params: {} };
    if (roll < 0.6)
      return { conversationId, action: "transfer", params: { to: { topic: random.pick(TOPICS) }, ...this.desk() } };
    if (roll < 0.7) return { conversationId, action: "transfer", params: { to: { agentId: this.agent() } } };
    if (roll < 0.8) return { conversationId, action: "join", params: {} };
    if (roll < 0.88) return { conversationId, action: "leave", params: {} };
    return { conversationId, action: "close", params: {} };
  }

  private agent(): string {
    return this.world.random.pick(this.users.filter(({ role }) => role === "agent")).id;
  }

  /** Mostly one of the client's own, at times one that is not. */
  private conversation(client: Client): string | undefined {
    const ids = [...this.oracle.histories.keys()];
    if (ids.length === 0) return undefined;
    if (this.world.random.chance(0.1)) return this.world.random.pick(ids);
    const own = ids.filter((id) => this.oracle.standing(id, client.userId) !== "none");
    return own.length > 0 ? this.world.random.pick(own) : undefined;
  }

  private sessions(): string[] {
    return [...this.oracle.histories.keys()].filter((id) => {
      const { session } = this.oracle.state(id);
      return session !== undefined && session.status !== "closed";
    });
  }

  private fresh(prefix: string): string {
    return `${prefix}${++this.drawn}`;
  }
}
