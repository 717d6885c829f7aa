import { standingChanges, type StoredEvent } from "../../actors/conversation/conversation.events";
import type { WireEvent } from "../../services/schemas";
import type { Faults } from "./faults";
import type { IoNode } from "./io-node";
import { Link, type LinkEnd } from "./link";
import type { Answer, Request, SyncResult } from "./messages";
import type { Oracle } from "./oracle";
import type { World } from "./world";

interface Followed {
  lastSeq: number;
  taken: string[];
  /** Beyond a hole. */
  readonly waiting: Map<number, WireEvent>;
  /** The server says that the user is not a member. */
  gone: boolean;
  /** When the last live event came. */
  heardAt: number;
}

interface Task {
  readonly request: Request;
  readonly resolve: () => void;
}

const ANSWER_MS = 8_000;
const RETRYABLE: ReadonlySet<string> = new Set(["UNAVAILABLE", "TOO_BUSY", "UNKNOWN_OUTCOME"]);

/**
 * A model user of the native protocol on one connection at a time: repeats a command under the same id until it is
 * answered for good, keeps the last seq per conversation, notices holes by `prevSeq`, and syncs.
 */
export class Client implements LinkEnd {
  link: Link | undefined;
  readonly followed = new Map<string, Followed>();
  /** Never gives a command up. */
  patient = false;
  /** Never connects again. */
  away = false;
  /** Commands without a final answer. */
  pending = 0;
  private links = 0;
  private listed = false;
  private syncing = false;
  private syncWanted = false;
  private readonly lanes = new Map<string, Task[]>();
  /** Per conversation, the last seq that this connection brought; a connection leaves no holes. */
  private cursors = new Map<string, number>();

  constructor(
    private readonly world: World,
    private readonly faults: Faults,
    private readonly oracle: Oracle,
    readonly userId: string,
    readonly name: string,
    private readonly pickIo: () => IoNode | undefined,
    private readonly tokenOf: (client: Client) => string,
  ) {}

  /** Connected, caught up, and nothing waits for an answer. */
  get quiet(): boolean {
    return this.live && this.pending === 0;
  }

  /** Connected and caught up: whatever is said from now on should come by itself. */
  get live(): boolean {
    return this.link !== undefined && this.listed && !this.syncing && !this.syncWanted;
  }

  /** Is gone for good. */
  goAway(): void {
    this.world.trace("away", this.name);
    this.away = true;
    this.link?.break();
  }

  connect(): void {
    if (this.away) return;
    const io = this.pickIo();
    if (!io) return void this.world.schedule(200, () => this.connect());
    const id = `${this.name}#${++this.links}`;
    const link = new Link(this.world, this.faults, id, this, io, this.tokenOf(this));
    this.world.trace("connect", link.id, io.life.incarnation);
    this.link = link;
    this.cursors = new Map();
    this.listed = false;
    this.syncing = false;
    this.list(link);
  }

  closed(): void {
    this.link = undefined;
    this.world.schedule(this.world.random.logBetween(10, 1_500), () => this.connect());
  }

  /** Asks for something until it has a final answer; one at a time per conversation, in order. */
  perform(request: Request): Promise<void> {
    this.pending += 1;
    return new Promise((resolve) => {
      const lane = this.lanes.get(request.conversationId) ?? [];
      this.lanes.set(request.conversationId, lane);
      if (lane.push({ request, resolve }) === 1) this.attempt(lane);
    });
  }

  /** Asks for something that changes nothing in the log, once. */
  read(name: string, params: object, heard: (answer: unknown) => void): void {
    const { link } = this;
    link?.toServer(() => {
      link.io.ask(link, name, params).then(
        (answer) => link.answer(() => heard(answer)),
        () => undefined,
      );
    });
  }

  frame(events: readonly WireEvent[]): void {
    let last = 0;
    for (const event of events) {
      if (event.seq <= last) this.oracle.fail("C", `${this.name} got ${event.id} after seq ${last} in one frame`);
      last = event.seq;
      this.checkHole(event);
      this.take(event);
    }
  }

  /** Events this client took over, in order, by id. */
  taken(conversationId: string): readonly string[] {
    return this.followed.get(conversationId)?.taken ?? [];
  }

  private attempt(lane: Task[]): void {
    const task = lane[0];
    if (!task) return;
    const { link } = this;
    if (!link) return this.later(() => this.attempt(lane));
    const { request } = task;
    const asked = this.oracle.asks(request);
    let waiting = true;
    this.world.trace("ask", this.name, request.action, request.conversationId, request.commandId);
    const finish = (answer: Answer): void => {
      this.world.trace("answer", this.name, request.commandId, JSON.stringify(answer));
      this.oracle.answered(asked, answer);
      const again = answer.kind === "refused" && RETRYABLE.has(answer.type);
      if (again && !this.losesPatience()) return this.later(() => this.attempt(lane));
      this.pending -= 1;
      task.resolve();
      lane.shift();
      this.attempt(lane);
    };
    link.toServer(() => {
      void link.io.command(link, asked).then((answer) =>
        link.answer(() => {
          if (!waiting) return;
          waiting = false;
          finish(answer);
        }),
      );
    });
    this.world.schedule(ANSWER_MS, () => {
      if (!waiting) return;
      waiting = false;
      if (link.up && this.world.random.chance(0.5)) link.break();
      this.later(() => this.attempt(lane));
    });
  }

  private losesPatience(): boolean {
    return !this.patient && this.world.random.chance(this.faults.givesUp);
  }

  private later(run: () => void): void {
    this.world.schedule(this.world.random.logBetween(20, 1_000), run);
  }

  private list(link: Link): void {
    let waiting = true;
    const again = (): void => {
      if (waiting && link.up) this.list(link);
      waiting = false;
    };
    link.toServer(() => {
      link.io.list(link).then(
        (ids) =>
          link.answer(() => {
            waiting = false;
            for (const id of ids) this.follow(id);
            this.listed = true;
            this.sync();
          }),
        () => link.answer(() => this.later(again)),
      );
    });
    this.world.schedule(ANSWER_MS, again);
  }

  private follow(id: string): void {
    const known = this.followed.get(id);
    if (!known) this.followed.set(id, { lastSeq: 0, taken: [], waiting: new Map(), gone: false, heardAt: 0 });
    else if (known.gone) known.gone = false;
  }

  private take(event: WireEvent): void {
    const { conversationId: id } = event;
    this.oracle.received(this.userId, event);
    this.world.trace("receive", this.name, event.id);
    this.follow(id);
    const talk = this.followed.get(id);
    if (!talk || event.seq <= talk.lastSeq) return;
    talk.heardAt = this.world.now;
    talk.waiting.set(event.seq, event);
    this.advance(talk);
    if (talk.waiting.size > 0) this.sync();
  }

  private advance(talk: Followed): void {
    for (const event of [...talk.waiting.values()].sort((a, b) => a.seq - b.seq)) {
      if (event.seq > talk.lastSeq && event.prevSeq > talk.lastSeq) return;
      talk.waiting.delete(event.seq);
      if (event.seq > talk.lastSeq) this.add(talk, event);
    }
  }

  private add(talk: Followed, event: WireEvent): void {
    talk.lastSeq = event.seq;
    talk.taken.push(event.id);
    const own = standingChanges(event as unknown as StoredEvent).filter(({ userId }) => userId === this.userId);
    for (const { standing } of own) talk.gone = standing === "none";
  }

  /** On one connection, after an event of a conversation comes the next that the user may see. */
  private checkHole(event: WireEvent): void {
    const { conversationId: id, seq, prevSeq } = event;
    const cursor = this.cursors.get(id);
    if (cursor !== undefined && prevSeq > cursor)
      this.oracle.fail("C", `${this.name} got ${id}/${seq}, which follows ${prevSeq}, after ${cursor}`);
    const changes = standingChanges(event as unknown as StoredEvent);
    if (changes.some(({ userId }) => userId === this.userId)) this.cursors.delete(id);
    else this.cursors.set(id, Math.max(cursor ?? 0, seq));
  }

  private sync(): void {
    const { link } = this;
    if (this.syncing || !link) return void (this.syncWanted = true);
    this.syncing = true;
    this.syncWanted = false;
    const cursors: Record<string, number> = {};
    for (const [id, talk] of this.followed) if (!talk.gone) cursors[id] = talk.lastSeq;
    let waiting = true;
    const over = (): boolean => {
      const first = waiting && this.link === link;
      waiting = false;
      if (first) this.syncing = false;
      return first;
    };
    const askedAt = this.world.now;
    this.world.trace("sync", this.name, JSON.stringify(cursors));
    link.toServer(() => {
      link.io
        .sync(link, cursors, (result) => link.answer(() => over() && this.synced(result, askedAt)))
        .catch(() => link.answer(() => over() && this.later(() => this.sync())));
    });
    this.world.schedule(ANSWER_MS, () => over() && this.sync());
  }

  private synced({ events, reset, more }: SyncResult, askedAt: number): void {
    this.world.trace(
      "synced",
      this.name,
      events.map(({ id }) => id).join(","),
      `reset ${reset.join(",")}`,
      more ? "more" : "",
    );
    for (const event of events) {
      this.oracle.received(this.userId, event);
      const talk = this.followed.get(event.conversationId);
      if (talk && event.seq > talk.lastSeq) this.add(talk, event);
    }
    for (const id of reset) {
      // What came live since the question is newer than the answer.
      if ((this.followed.get(id)?.heardAt ?? 0) >= askedAt) this.syncWanted = true;
      else this.reset(id);
    }
    for (const talk of this.followed.values()) this.advance(talk);
    const holes = [...this.followed.values()].some((talk) => talk.waiting.size > 0 && !talk.gone);
    if (more || this.syncWanted) this.sync();
    else if (holes) this.later(() => this.sync());
  }

  /** Unknown here, not the user's, or further than the server knows: forget it until the server names it again. */
  private reset(id: string): void {
    this.world.trace("reset", this.name, id);
    this.followed.set(id, { lastSeq: 0, taken: [], waiting: new Map(), gone: true, heardAt: 0 });
    if (this.link) this.list(this.link);
  }
}
