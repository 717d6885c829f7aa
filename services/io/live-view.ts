import type { StoredEvent } from "../../actors/conversation/conversation.events";
import { Backoff } from "../../lib/actor/backoff";
import type { Clock } from "../../lib/actor/ports";

/** Sessions as far as somebody needs them: of each only what is newer than the newest thing known counts. */
export interface SessionsView<Item, Change> {
  /** Takes a session as it was read. */
  put(session: Item): Change;
  /** Takes an event of any conversation; what concerns no session is ignored. */
  apply(event: StoredEvent): Change;
  /** The sessions in it by id, with the seq of the newest thing known of each. */
  seqs(): Map<string, number>;
  /** A session of which nothing newer than `seq` is known is not in it any more. */
  gone(id: string, seq: number): Change;
}

export interface LiveViewPorts<V, Item, Change> {
  readonly clock: Clock;
  /** An empty one. */
  make(): V;
  /** The sessions that belong into it, a page after the other. */
  pages(): AsyncIterable<readonly Item[]>;
  /** No further page is read when so many are listed: then what is not listed may be there all the same. */
  readonly mostListed?: number;
  /** What else is needed before a view that was just read is used. */
  loaded?(view: V): Promise<void>;
  /** The view has changed since it was read. */
  changed(changes: readonly Change[]): void;
}

/** Events kept for views that are loaded later: projections may lag behind what was broadcast. */
const RECENT = 2_000;
/** Pauses between attempts to read again. */
const PAUSES = { firstMs: 100, maxMs: 5_000 };

/** A view of sessions that is read from the projections when it is wanted, and kept by what is broadcast from then on. */
export class LiveView<Item extends { readonly id: string }, Change, V extends SessionsView<Item, Change>> {
  private recent: StoredEvent[] = [];
  private view: V | undefined;
  private loading: Promise<V> | undefined;

  constructor(private readonly ports: LiveViewPorts<V, Item, Change>) {}

  /** The view; undefined while nobody wants it. */
  get current(): V | undefined {
    return this.view;
  }

  /** Reads the view; whoever asks meanwhile shares the read. Rejects when it cannot be read. */
  load(): Promise<V> {
    this.loading ??= this.read().finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  /** Keeps what was just loaded, which whoever asked at the same time may have dropped. Answers what is kept. */
  restore(loaded: V): V {
    return (this.view ??= loaded);
  }

  /** Nobody wants it any more. */
  drop(): void {
    this.view = undefined;
  }

  /** Takes events as they are broadcast, in any order; those that concern no session are ignored. */
  received(events: readonly StoredEvent[]): void {
    const ofSessions = events.filter(({ session }) => session !== undefined);
    if (ofSessions.length === 0) return;
    this.recent.push(...ofSessions);
    if (this.recent.length > 2 * RECENT) this.recent = this.recent.slice(-RECENT);
    const { view } = this;
    if (view) this.ports.changed(ofSessions.map((event) => view.apply(event)));
  }

  /** Events may have been missed for good: everything is read again. */
  refresh(): void {
    this.recent = [];
    if (this.view) void this.reload(this.view);
  }

  private async read(): Promise<V> {
    const view = this.ports.make();
    await this.list((sessions) => sessions.forEach((session) => view.put(session)));
    for (const event of this.recent) view.apply(event);
    this.view = view;
    await this.ports.loaded?.(view);
    return view;
  }

  private async reload(view: V): Promise<void> {
    const { clock, changed } = this.ports;
    const isCurrent = (): boolean => this.view === view;
    const left = view.seqs();
    const backoff = new Backoff(clock, undefined, PAUSES);
    const take = (sessions: readonly Item[]): void => {
      for (const { id } of sessions) left.delete(id);
      if (isCurrent()) changed(sessions.map((session) => view.put(session)));
    };
    while (isCurrent()) {
      const whole = await this.list(take).catch(() => undefined);
      if (whole && isCurrent()) changed([...left].map(([id, seq]) => view.gone(id, seq)));
      if (whole !== undefined) return;
      await backoff.wait();
    }
  }

  /** Passes on what is listed, as far as it is listed. Answers whether that was all. */
  private async list(take: (sessions: readonly Item[]) => void): Promise<boolean> {
    const { mostListed = Infinity } = this.ports;
    let listed = 0;
    for await (const sessions of this.ports.pages()) {
      take(sessions);
      listed += sessions.length;
      if (listed >= mostListed) return false;
    }
    return true;
  }
}

/** The pages of a list of sessions, one after the other. */
export async function* pagesOf<Item>(
  list: (cursor: string | undefined) => Promise<{ sessions: Item[]; cursor?: string | undefined }>,
): AsyncGenerator<readonly Item[]> {
  let cursor: string | undefined;
  do {
    const page = await list(cursor);
    yield page.sessions;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
