import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

const RANDOM_BYTES = 15;
const TAG_LENGTH = 8;

/** A node's name as strangers may see it: eight characters that tell nothing about it. */
export const tagOf = (nodeId: string): string =>
  createHash("sha256").update(nodeId).digest("base64url").replaceAll(/[-_]/g, "0").slice(0, TAG_LENGTH);

/**
 * Makes ids of Engine.IO connections that name their node, `<random>.<tag>`: whoever routes by them needs no memory, so
 * that a restarted front door, or another one, still finds the node of a long-polling client.
 */
export function taggedIds(nodeId: string): () => string {
  const tag = tagOf(nodeId);
  return () => `${randomBytes(RANDOM_BYTES).toString("base64url")}.${tag}`;
}

/** The tag in such an id; undefined when it has none. */
export function tagIn(id: string): string | undefined {
  const dot = id.lastIndexOf(".");
  return dot < 0 ? undefined : id.slice(dot + 1);
}

/** The id of the Engine.IO connection that a request belongs to; undefined for a new connection. */
export function engineSid(request: Pick<IncomingMessage, "url">): string | undefined {
  const query = (request.url ?? "").split("?", 2)[1];
  return query === undefined ? undefined : (new URLSearchParams(query).get("sid") ?? undefined);
}
