import type { ConversationStore } from "../../actors/conversation/conversation.store";
import { ParleyError } from "../../lib/errors";
import type { Topic } from "../topics/topic";
import type { FactsDocument, FactsStore } from "./facts.store";
import { documentOf, type HoursOf } from "./measures";
import { factsAfter, type SessionFacts } from "./session-facts";

export interface FoldPorts {
  readonly log: Pick<ConversationStore, "readAfter">;
  readonly facts: Pick<FactsStore, "get" | "put" | "rewrite">;
  /** Every topic that was described. */
  topics(): Promise<ReadonlyArray<Pick<Topic, "id" | "hours">>>;
}

/** Facts through a seq; none where the log is no session's. */
export interface Folded {
  readonly seq: number;
  readonly facts: SessionFacts | undefined;
}

const NOTHING: Folded = { seq: 0, facts: undefined };
/** Events of one read. */
const PAGE = 500;

/** Continues a fold with what the log has beyond it, through a seq if one is given. */
export async function foldLog(
  log: FoldPorts["log"],
  conversationId: string,
  from: Folded = NOTHING,
  through?: number,
): Promise<Folded> {
  let { seq, facts } = from;
  for (;;) {
    const page = await log.readAfter(conversationId, seq, PAGE, through);
    for (const event of page) {
      if (event.seq !== seq + 1) return { seq, facts };
      facts = factsAfter(facts, event);
      seq = event.seq;
    }
    // What is no session by its first event never becomes one.
    if (page.length < PAGE || !facts) return { seq, facts };
  }
}

/**
 * Brings the facts of a session up to what the log has. Doing it twice, or by two nodes at once, changes nothing.
 * @param least the seq that is known to be in the log @throws ParleyError UNAVAILABLE when it could not be read yet
 */
export async function bringUp(ports: FoldPorts, conversationId: string, least = 0): Promise<void> {
  const known = await ports.facts.get(conversationId);
  if (known && least > 0 && known.seq >= least) return;
  const { seq, facts } = await foldLog(ports.log, conversationId, known);
  if (seq < least && (facts || seq === 0)) throw new ParleyError("UNAVAILABLE");
  if (facts && seq > (known?.seq ?? 0))
    await ports.facts.put(documentOf(conversationId, seq, facts, await hours(ports)));
}

/** Folds the whole log again and writes the facts, by the opening hours there are now. */
export async function makeAfresh(ports: FoldPorts, conversationId: string): Promise<FactsDocument | undefined> {
  const { seq, facts } = await foldLog(ports.log, conversationId);
  if (!facts) return undefined;
  const document = documentOf(conversationId, seq, facts, await hours(ports));
  await ports.facts.rewrite(document);
  return document;
}

async function hours({ topics }: FoldPorts): Promise<HoursOf> {
  const byTopic = new Map((await topics()).map(({ id, hours: open }) => [id, open]));
  return (topic) => byTopic.get(topic);
}
