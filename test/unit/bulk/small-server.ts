import type { ConversationCommand } from "../../../actors/conversation/conversation.commands";
import { DEFAULT_RULES } from "../../../actors/conversation/conversation.session-state";
import { toSnapshot } from "../../../actors/conversation/conversation.snapshot";
import { ConversationStore } from "../../../actors/conversation/conversation.store";
import { ParleyError, type ErrorType } from "../../../lib/errors";
import { MemoryStore } from "../../../lib/store/memory";
import type { ExportRecord, ImportItem, Refusal } from "../../../services/bulk/bulk.contract";
import { exportPage } from "../../../services/bulk/exporting";
import type { ImportPorts } from "../../../services/bulk/giving";
import { importItem } from "../../../services/bulk/importing";
import { importedMessage } from "../../../services/bulk/references";
import { canonicalJson } from "../../../services/conversation-command";
import { World } from "../conversation/world";

/** What an import and an export see of a server: the real rules and the real store, and nothing between. */
export class SmallServer {
  readonly world = new World();
  readonly users = new Map<string, string>();

  constructor(private readonly now = 1_000_000) {}

  async export(): Promise<ExportRecord[]> {
    const store = await this.stored();
    const names = (ids: readonly string[]) => {
      const known = ids.flatMap((id) => [[id, this.users.get(id)] as const]);
      return Promise.resolve(new Map(known.filter((pair): pair is [string, string] => pair[1] !== undefined)));
    };
    const records: ExportRecord[] = [];
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const page = await exportPage({ store, names }, cursor);
      records.push(...page.records);
      cursor = page.cursor;
    }
    return records;
  }

  /** What was refused. */
  async import(item: ImportItem): Promise<Refusal[]> {
    return (await importItem(this.ports(), item)).refused;
  }

  private async stored(): Promise<ConversationStore> {
    const store = new ConversationStore(new MemoryStore());
    for (const [id, log] of this.world.logs) {
      if (log.length === 0) continue;
      await store.insert(log);
      await store.conversations.insertMany([toSnapshot(this.world.state(id))]);
    }
    return store;
  }

  private ports(): ImportPorts {
    return {
      now: this.now,
      ensureUsers: (users) => {
        for (const { id, name } of users) if (!this.users.has(id)) this.users.set(id, name);
        return Promise.resolve();
      },
      place: ({ topic = "other", urgency = "normal" }) =>
        Promise.resolve({ topic, urgency, desk: { headStart: { class: 0 }, rules: DEFAULT_RULES } }),
      give: (id, given) => Promise.resolve().then(() => this.give(id, given)),
      messageOf: async (...asked) => importedMessage(await this.stored(), ...asked),
      read: () => Promise.resolve(),
    };
  }

  private give(id: string, { by = "system", commandId, action, params, identity = params }: Given) {
    const request = `${action} ${canonicalJson(identity)}`;
    const known = this.world.log(id).find((event) => event.by === by && event.commandId === commandId);
    if (known && known.request !== request) throw new ParleyError("COMMAND_REUSED");
    if (known) return { event: known, repeated: true };
    const head = { by, commandId, request, deadline: Number.MAX_SAFE_INTEGER, supervises: true };
    const ended = this.world.give(id, { ...head, action, params } as ConversationCommand);
    if (ended === "noop") return { noop: { seq: this.world.state(id).seq } };
    if ("refusal" in ended) throw new ParleyError(ended.refusal as ErrorType);
    return { event: ended.event, repeated: false };
  }
}

type Given = Parameters<ImportPorts["give"]>[1];
