import { WATERMARKS } from "../actors/conversation/conversation.watermarks";
import { CONVERSATIONS, EVENTS, MEMBERS } from "../actors/conversation/conversation.store";
import { MARKS } from "../lib/actor/mark";
import { OUTBOX } from "../lib/outbox/outbox.store";
import { LEASES } from "../lib/scheduling/store-leases";
import { JOBS } from "../lib/scheduling/turn-memory";
import type { CollectionDefinition } from "../lib/store/collection";
import { AGENTS } from "./agents/agents.store";
import { ASSIGNMENTS } from "./agents/assignments.store";
import { AUDIT } from "./audit/audit.store";
import { REFRESH_TOKENS, SPENT_TOKENS } from "./auth/refresh-tokens.store";
import { REVOCATIONS } from "./auth/revocation-ledger";
import { REPLIES } from "./replies/replies.store";
import { SESSION_FACTS } from "./statistics/facts.store";
import { REBUILDS } from "./statistics/rebuild";
import { TIMERS } from "./timers";
import { KEYWORDS } from "./topics/keywords.store";
import { TOPICS } from "./topics/topics.store";
import { USERS } from "./users/users.store";

/** Every collection there is: what `npm run migrate` makes and builds the indexes of. */
export const COLLECTIONS: readonly CollectionDefinition[] = [
  EVENTS,
  CONVERSATIONS,
  MEMBERS,
  WATERMARKS,
  MARKS,
  OUTBOX,
  LEASES,
  JOBS,
  TIMERS,
  USERS,
  REFRESH_TOKENS,
  SPENT_TOKENS,
  REVOCATIONS,
  AUDIT,
  AGENTS,
  ASSIGNMENTS,
  REPLIES,
  SESSION_FACTS,
  REBUILDS,
  TOPICS,
  KEYWORDS,
];
