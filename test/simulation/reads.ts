import { maySee, type StoredEvent } from "../../actors/conversation/conversation.events";
import { toMessages, type WireMessage } from "../../actors/conversation/conversation.messages";
import { type Watermark, WATERMARKS } from "../../actors/conversation/conversation.watermarks";
import { memberId } from "../../actors/conversation/conversation.store";
import type { Store } from "../../lib/store/collection";
import type { Client } from "./client";
import type { Oracle } from "./oracle";
import type { World } from "./world";

export type Asked = { readonly before?: number; readonly after?: number; readonly limit: number };
export type HistoryPage = { readonly messages: readonly WireMessage[]; readonly hasMore: boolean };

/**
 * Reads of history, and receipts.
 *
 * H  a page of history is what the log had at some seq
 * W  a watermark that was answered is durable; watermarks only grow, and never beyond what the user may see
 */
export class Reads {
  /** Greatest watermark answered, by member and kind. */
  private readonly answered = new Map<string, number>();

  constructor(
    private readonly world: World,
    private readonly oracle: Oracle,
    private readonly durable: Store,
  ) {}

  /** Lets a client read something, or say what it has read. */
  act(client: Client): void {
    const { random } = this.world;
    const own = [...this.oracle.histories.keys()].filter((id) => this.oracle.standing(id, client.userId) !== "none");
    if (own.length === 0) return;
    const id = random.pick(own);
    if (random.chance(0.6)) this.history(client, id);
    else this.receipt(client, id, random.chance(0.5) ? "read" : "delivered");
  }

  /** What is wrong with the watermarks in the end. */
  async wrong(): Promise<string | undefined> {
    const all = await this.durable.collection<Watermark>(WATERMARKS).find({});
    for (const { _id, conversationId, readSeq, deliveredSeq } of all) {
      if (readSeq > deliveredSeq || deliveredSeq > this.oracle.head(conversationId))
        return `${_id} has read ${readSeq} of ${deliveredSeq} delivered of ${this.oracle.head(conversationId)}`;
    }
    return undefined;
  }

  private history(client: Client, id: string): void {
    const { random } = this.world;
    const head = this.oracle.head(id);
    const asked: Asked = {
      limit: 1 + random.int(8),
      ...(random.chance(0.3) && { before: 1 + random.int(head + 2) }),
      ...(random.chance(0.3) && { after: random.int(head + 1) }),
    };
    client.read("message.history", { conversationId: id, ...asked }, (answer) =>
      this.checkPage(client.userId, id, asked, answer as HistoryPage),
    );
  }

  private checkPage(userId: string, id: string, asked: Asked, { messages, hasMore }: HistoryPage): void {
    const said = JSON.stringify({ messages, hasMore });
    for (let seq = this.oracle.head(id); seq > 0; seq--) if (this.pageAt(userId, id, asked, seq) === said) return;
    this.oracle.fail("H", `${userId} was given a page of ${id} that never was: ${JSON.stringify(asked)} ${said}`);
  }

  private pageAt(userId: string, id: string, asked: Asked, through: number): string | undefined {
    const audience = this.oracle.standing(id, userId, through);
    if (audience === "none") return undefined;
    const { before = Infinity, after = 0, limit } = asked;
    const log = this.oracle.events(id).slice(0, through);
    const visible = log.filter((event) => maySee(event, audience));
    const isOf = ({ type, seq }: StoredEvent): boolean => type === "message.created" && seq > after && seq < before;
    const found = visible.filter(isOf);
    const forward = asked.after !== undefined && asked.before === undefined;
    const shown = forward ? found.slice(0, limit) : found.slice(-limit);
    return JSON.stringify({ messages: toMessages(shown, visible), hasMore: found.length > shown.length });
  }

  private receipt(client: Client, id: string, kind: "read" | "delivered"): void {
    const seq = 1 + this.world.random.int(this.oracle.head(id) + 3);
    const key = memberId(id, client.userId);
    const from = this.answered.get(`${key} ${kind}`) ?? 0;
    client.read("message.receipt", { conversationId: id, seq, kind }, (answer) => {
      const { seq: now } = answer as { seq: number };
      if (now < from) this.oracle.fail("W", `${key} was ${from}, and is ${now} ${kind}`);
      if (now > this.oracle.head(id)) this.oracle.fail("W", `${key} is ${now} of ${this.oracle.head(id)}`);
      this.answered.set(`${key} ${kind}`, Math.max(now, this.answered.get(`${key} ${kind}`) ?? 0));
      void this.checkStored(key, kind, now);
    });
  }

  private async checkStored(_id: string, kind: "read" | "delivered", seq: number): Promise<void> {
    const stored = await this.durable.collection<Watermark>(WATERMARKS).findOne({ _id });
    const now = kind === "read" ? stored?.readSeq : stored?.deliveredSeq;
    if (now === undefined || now < seq) this.oracle.fail("W", `${_id} was answered ${kind} ${seq}, and is ${now ?? 0}`);
  }
}
