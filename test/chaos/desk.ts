import { type Command, type ParleyClient, Refusal } from "../support/client";
import type { AckLog } from "./ack-log";
import type { Person } from "./load";

interface SessionAnswer {
  readonly id: string;
  readonly conversationId: string;
  readonly agentId?: string;
  readonly lastSeq: number;
}

/** A command of a session whose outcome its sender was told. */
export interface Told {
  readonly client: ParleyClient;
  readonly conversationId: string;
  readonly commandId: string;
}

/** As long as a fault may last, and to be sure. */
const SEEN_MS = 60_000;

/** How staff speak among themselves. */
const NOTE = { audience: "staff" } as const;
const WHISPER = { ...NOTE, whisper: true } as const;

/**
 * One customer who opens one session after another, two agents who race for it and hand it to each other, and a
 * supervisor who looks in; the staff write notes all along, which the customer must not see.
 */
export class Desk {
  readonly conversationIds: string[] = [];
  /** Acknowledged: their events must be in the log. */
  readonly done: Told[] = [];
  /** Claims that lost, each refused for good: no event of theirs may ever be in the log. */
  readonly refused: Told[] = [];

  constructor(
    readonly customer: Person,
    readonly agents: readonly [Person, Person],
    readonly supervisor: Person,
  ) {}

  get people(): Person[] {
    return [this.customer, ...this.agents, this.supervisor];
  }

  /** Serves sessions until `ended`. @throws Error when two agents or none won a claim, or something was refused for good */
  async serve(acks: AckLog, think: () => Promise<void>, ended: () => boolean): Promise<void> {
    while (!ended()) {
      const steps = this.session(acks);
      for (let step = await steps.next(); !step.done; step = await steps.next()) {
        await think();
        // A session is not left half-way to be begun anew: the oracle judges what is there.
        if (ended()) return;
      }
    }
  }

  /** One session from its opening to its end, one step after another. */
  private async *session(acks: AckLog): AsyncGenerator<void> {
    const { customer, supervisor } = this;
    const id = await this.opening(acks);
    const say = ({ client }: Person, text: string) => acks.time(() => client.send(id, text));
    const aside = ({ client }: Person, text: string, more: typeof NOTE | typeof WHISPER = NOTE) =>
      acks.time(() => client.send(id, text, crypto.randomUUID(), more));
    yield;
    const [first, second] = await this.race(acks, id);
    yield;
    for (const text of ["what is it?", "tell me more"]) {
      await Promise.all([say(first, text), aside(first, `seen: ${text}`), say(customer, `about ${text}`)]);
      yield;
    }
    await this.visit(acks, id, () => aside(supervisor, "ask for the number", WHISPER));
    yield;
    await this.act(acks, first, "session.transfer", { sessionId: id, to: { agentId: second.user.id } });
    second.client.follow(id);
    await Promise.all([say(second, "I take over"), aside(second, "nothing was done yet")]);
    yield;
    await this.act(acks, second, "session.return", { sessionId: id });
    yield;
    if (!(await this.claims(acks, first, id)))
      throw new Error(`${first.user.id} was refused session ${id}, which was given back`);
    first.client.follow(id);
    await say(customer, "thank you");
    yield;
    const { lastSeq } = await this.act(acks, customer, "session.close", { sessionId: id });
    for (const { client } of [customer, first]) await client.reaches(id, lastSeq, SEEN_MS);
    for (const { client } of this.people) client.view.forget(id);
    yield;
  }

  /** The supervisor joins, does something and leaves. */
  private async visit(acks: AckLog, id: string, during: () => Promise<unknown>): Promise<void> {
    const { client } = this.supervisor;
    const give = async (event: string): Promise<void> => {
      const commandId = crypto.randomUUID();
      await acks.time(() => client.command(event, { conversationId: id, commandId }));
      this.note(client, id, commandId);
    };
    await give("conversation.join");
    client.follow(id);
    await during();
    await give("conversation.leave");
  }

  private async opening(acks: AckLog): Promise<string> {
    const { client } = this.customer;
    const command = { commandId: crypto.randomUUID(), topic: "help" };
    const { id } = await acks.time(() => client.command<SessionAnswer>("session.open", command));
    this.conversationIds.push(id);
    this.note(client, id, command.commandId);
    client.follow(id);
    return id;
  }

  /** Both claim it at once: exactly one has it. The winner first. */
  private async race(acks: AckLog, sessionId: string): Promise<[Person, Person]> {
    const [anna, ben] = this.agents;
    const won = await Promise.all(this.agents.map((agent) => this.claims(acks, agent, sessionId)));
    if (won[0] === won[1]) throw new Error(`${won[0] ? "both agents have" : "no agent has"} session ${sessionId}`);
    const order: [Person, Person] = won[0] ? [anna, ben] : [ben, anna];
    order[0].client.follow(sessionId);
    return order;
  }

  private async claims(acks: AckLog, agent: Person, sessionId: string): Promise<boolean> {
    const commandId = crypto.randomUUID();
    try {
      await this.act(acks, agent, "session.claim", { sessionId }, commandId);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal) || error.type !== "SESSION_TAKEN") throw error;
      this.refused.push({ client: agent.client, conversationId: sessionId, commandId });
      return false;
    }
  }

  private async act(
    acks: AckLog,
    { client }: Person,
    event: string,
    params: { sessionId: string; to?: unknown },
    commandId: string = crypto.randomUUID(),
  ): Promise<SessionAnswer> {
    const command: Command = { commandId, ...params };
    const answer = await acks.time(() => client.command<SessionAnswer>(event, command));
    this.note(client, params.sessionId, command.commandId);
    return answer;
  }

  private note(client: ParleyClient, conversationId: string, commandId: string): void {
    this.done.push({ client, conversationId, commandId });
  }
}
