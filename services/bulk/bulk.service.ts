import type { Context } from "moleculer";
import type { Conversations } from "../../actors/conversation/conversation.actor";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, Service } from "../../lib/decorators";
import { sideBySide } from "../../lib/side-by-side";
import type { Meta } from "../auth/principal";
import { deadlineOf, systemCommand } from "../conversation-command";
import { conversationsMixin } from "../conversations";
import { otherCoresOf } from "../other-cores";
import { callRoom } from "../room/room.internal";
import { headStartOf } from "../topics/head-start";
import { topicsOf } from "../topics/topics.directory";
import { namesOf } from "../users/names";
import { callUsers } from "../users/users.internal";
import { exportConversations, importConversations, type ImportItem, type ImportResult } from "./bulk.contract";
import { topicIn, urgencyIn } from "./classify";
import { exportPage } from "./exporting";
import type { ImportPorts } from "./giving";
import { importItem } from "./importing";
import { importedMessage } from "./references";

/** Conversations of one request: whoever chats meanwhile needs the store, too. */
const AT_ONCE = 8;

type ImportContext = Context<Params<typeof importConversations>, Meta>;

/** Conversations of other systems come in, and all go out, by the hand of an administrator. */
@Service({ name: "bulk", dependencies: ["users", "room"], mixins: [conversationsMixin] })
export default class BulkService extends DomainService {
  declare conversations: Conversations;

  /** Some conversations at once, the items of one in order. */
  @Action(importConversations)
  async import(ctx: ImportContext): Promise<Result<typeof importConversations>> {
    const ports = this.portsOf(ctx);
    const results: ImportResult[] = [];
    await sideBySide(byConversation(ctx.params.items), AT_ONCE, async (items) => {
      for (const [index, item] of items) results[index] = await importItem(ports, item);
    });
    return { results };
  }

  @Action(exportConversations)
  async export(ctx: Context<Params<typeof exportConversations>, Meta>): Promise<Result<typeof exportConversations>> {
    const { cursor } = ctx.params;
    if (cursor === undefined) await otherCoresOf(this.broker, this.conversations).project({ sessions: true });
    const names = (userIds: readonly string[]) => namesOf(ctx, userIds);
    return exportPage({ store: this.conversations.store, names }, cursor);
  }

  private portsOf(ctx: ImportContext): ImportPorts {
    const deadline = deadlineOf(ctx);
    return {
      now: this.resources.clock.now(),
      ensureUsers: async (users) => void (await callUsers(ctx, "users.ensure", { users: [...users] })),
      place: (record, texts) => this.place(record, texts),
      give: (conversationId, { by, commandId, action, params, identity }) => {
        const command = systemCommand(commandId, action, params, deadline, identity);
        return callRoom(ctx, "room.command", {
          conversationId,
          command: by === undefined ? command : { ...command, by },
        });
      },
      messageOf: (...asked) => importedMessage(this.conversations.store, ...asked),
      read: async (conversationId, userIds, seq) => {
        const { receipts } = this.conversations;
        await Promise.all(userIds.map((userId) => receipts.raise(conversationId, userId, "read", seq)));
      },
    };
  }

  private async place(
    { topic: given, urgency }: Pick<ImportItem["conversation"], "topic" | "urgency">,
    texts: readonly string[],
  ): ReturnType<ImportPorts["place"]> {
    const directory = topicsOf(this.broker);
    const topic = await directory.get(given ?? topicIn(texts, await directory.all()));
    const found = urgencyIn(texts, await directory.keywords(), topic);
    const { keywordMs, rule } = found;
    const desk = { headStart: headStartOf({ topic, keywordMs, rule }), rules: topic.rules };
    return { topic: topic.id, urgency: urgency ?? found.urgency, desk };
  }
}

/** The items of each conversation, with their places among all. */
function byConversation(items: readonly ImportItem[]): Iterable<Array<[number, ImportItem]>> {
  const groups = new Map<string, Array<[number, ImportItem]>>();
  for (const entry of items.entries()) {
    const { source, id } = entry[1].conversation;
    const name = `${source}\n${id}`;
    groups.set(name, [...(groups.get(name) ?? []), entry]);
  }
  return groups.values();
}
