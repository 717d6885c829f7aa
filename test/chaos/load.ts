import { setTimeout as pause } from "node:timers/promises";
import { Prng } from "../simulation/prng";
import type { ServerApi, TestUser } from "../support/api";
import type { Role } from "../../services/schemas";
import { type Failure, ParleyClient } from "../support/client";
import { until } from "../support/wait";
import { AckLog } from "./ack-log";
import { Desk } from "./desk";
import { sendOverRest } from "./rest-sender";

export interface LoadOptions {
  readonly server: ServerApi;
  /** Acknowledged messages a second over all conversations, as long as nothing is slow. */
  readonly rate: number;
  readonly directs?: number;
  readonly groups?: number;
  readonly desks?: number;
  readonly seed?: number;
}

export interface Failures {
  readonly count: number;
  readonly longestMs: number;
}

/** People who are in direct conversations and groups at once. */
const PEOPLE = 40;
const GROUP_SIZE = 6;
/** Of those who talk in direct conversations and groups, so many send over REST. */
const REST_SHARE = 0.15;
const ACK_TIMEOUT_MS = 12_000;

/** Somebody and the one client that they have. */
export interface Person {
  readonly user: TestUser;
  readonly client: ParleyClient;
}

/** A conversation that lasts as long as the load. */
interface Talk {
  readonly conversationId: string;
  readonly people: readonly Person[];
}

/**
 * People who talk all the time: in direct conversations and groups, in support sessions, over sockets and over REST.
 * Each repeats a command with the same id until it is acknowledged; the next one in the same place follows after that.
 */
export class Load {
  readonly acks = new AckLog();
  /** What should not have happened: a final refusal, two agents with one session, a lost event. */
  readonly problems: string[] = [];
  readonly talks: Talk[] = [];
  readonly desks: Desk[] = [];
  private readonly people: Person[] = [];
  private readonly random: Prng;
  private running: Array<Promise<void>> = [];
  private ended = false;

  private constructor(private readonly options: LoadOptions) {
    this.random = new Prng(options.seed ?? 1);
  }

  /** Signs everybody up, connects them and opens the conversations; nobody talks before `start`. */
  static async prepare(options: LoadOptions): Promise<Load> {
    const load = new Load(options);
    try {
      await load.gather();
      return load;
    } catch (error) {
      load.close();
      throw error;
    }
  }

  get clients(): ParleyClient[] {
    return [...this.people, ...this.desks.flatMap(({ people }) => people)].map(({ client }) => client);
  }

  /** All that this load has ever written to. */
  get conversationIds(): string[] {
    return [...this.talks.map((talk) => talk.conversationId), ...this.desks.flatMap((desk) => desk.conversationIds)];
  }

  /** Attempts that had to be repeated, by event and error type. */
  get failures(): Readonly<Record<string, Failures>> {
    const all: Record<string, Failures> = {};
    for (const { event, type, ms } of this.clients.flatMap(({ failures }) => failures)) {
      const name = `${event.replace(/\/conversations\/[^/]+/, "/conversations/:id")} ${type}`;
      const { count = 0, longestMs = 0 } = all[name] ?? {};
      all[name] = { count: count + 1, longestMs: Math.max(longestMs, ms) };
    }
    return all;
  }

  /** Attempts that failed within a stretch of time, but for those of agents who lost a race. */
  failed(from: number, to = Infinity): Failure[] {
    return this.clients
      .flatMap(({ failures }) => failures)
      .filter(({ at, type }) => at >= from && at < to && type !== "SESSION_TAKEN");
  }

  start(): void {
    const senders = this.talks.flatMap((talk) => [0, 1].map((n) => ({ talk, n })));
    const everyMs = ((senders.length + this.desks.length) / this.options.rate) * 1_000;
    const think = (): Promise<void> => pause(everyMs * this.random.between(0.5, 1.5));
    this.running = [
      ...senders.map(({ talk, n }) => this.keep(() => this.chatter(talk, n, think))),
      ...this.desks.map((desk) => this.keep(() => desk.serve(this.acks, think, () => this.ended))),
    ];
  }

  /** Lets everybody finish what they are at. */
  async stop(): Promise<void> {
    this.ended = true;
    await Promise.all(this.running);
  }

  close(): void {
    this.ended = true;
    for (const client of this.clients) client.close();
  }

  private async gather(): Promise<void> {
    const { directs = 20, groups = 5, desks = 6 } = this.options;
    const count = Math.min(PEOPLE, 2 * directs + GROUP_SIZE * groups);
    while (this.people.length < count)
      this.people.push(...(await this.welcome(Math.min(4, count - this.people.length))));
    for (let n = 0; n < directs; n++) this.talks.push(await this.open("direct", n, 2));
    for (let n = 0; n < groups; n++) this.talks.push(await this.open("group", n, GROUP_SIZE));
    for (let n = 0; n < desks; n++) this.desks.push(await this.desk());
  }

  private async keep(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => this.ended || this.problems.push(String(error)));
  }

  private async chatter({ conversationId, people }: Talk, n: number, think: () => Promise<void>): Promise<void> {
    const rest = this.random.chance(REST_SHARE);
    for (let count = 1; !this.ended; count++) {
      // Two at once in each conversation, but never the same one over a socket and over REST.
      const speaker = people[(2 * count + n) % people.length];
      if (!speaker) throw new Error("a talk without people");
      const { client, user } = speaker;
      const text = `${n}/${count}`;
      await this.acks.time(async () =>
        rest
          ? sendOverRest(this.options.server, user, client, conversationId, text)
          : client.send(conversationId, text),
      );
      await think();
    }
  }

  private async open(kind: "direct" | "group", n: number, size: number): Promise<Talk> {
    const people = Array.from({ length: size }, (_, at) => this.someone(kind === "direct" ? 2 * n + at : n + 7 * at));
    const [{ client }, ...others] = people as [Person, ...Person[]];
    const members = others.map(({ user }) => user.id);
    const command = { commandId: crypto.randomUUID(), kind, members };
    const { id } = await client.command<{ id: string }>("conversation.create", command);
    for (const person of people) person.client.follow(id);
    return { conversationId: id, people };
  }

  private someone(n: number): Person {
    const person = this.people[n % this.people.length];
    if (!person) throw new Error("nobody is there");
    return person;
  }

  private async desk(): Promise<Desk> {
    const [customer] = await this.welcome(1);
    const [anna, ben] = await this.welcome(2, ["agent"]);
    const [sue] = await this.welcome(1, ["supervisor"]);
    if (!customer || !anna || !ben || !sue) throw new Error("a desk without people");
    return new Desk(customer, [anna, ben], sue);
  }

  /** Few at a time, and again when the servers of a busy machine are late: hashing passwords takes it all. */
  private async welcome(count: number, roles: readonly Role[] = ["customer"]): Promise<Person[]> {
    const { server } = this.options;
    const sign = (): Promise<TestUser[] | undefined> => server.users(count, roles).catch(() => undefined);
    const users = await until("they are signed up", sign, 30_000);
    return Promise.all(users.map((user) => this.connect(user)));
  }

  private async connect(user: TestUser): Promise<Person> {
    const { url } = this.options.server;
    const client = await ParleyClient.open({ url, user: user.id, token: user.token, ackTimeoutMs: ACK_TIMEOUT_MS });
    return { user, client };
  }
}
