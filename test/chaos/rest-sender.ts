import { setTimeout as pause } from "node:timers/promises";
import type { WireError } from "../../lib/errors";
import type { ServerApi, TestUser } from "../support/api";
import type { ParleyClient } from "../support/client";
import type { Answer } from "../support/rest";

const RETRY_MS = 50;

/**
 * Sends a user's message over REST, again with the same id until it is acknowledged, and notes it in the log of the
 * client that the same user has.
 * @throws Error when the refusal is final
 */
export async function sendOverRest(
  server: ServerApi,
  user: TestUser,
  client: ParleyClient,
  conversationId: string,
  text: string,
): Promise<void> {
  const body = { commandId: crypto.randomUUID(), text };
  const record: { conversationId: string; commandId: string; intent: string; seq?: number } = {
    conversationId,
    commandId: body.commandId,
    intent: text,
  };
  client.sent.push(record);
  for (;;) {
    const begunAt = performance.now();
    const path = `/conversations/${conversationId}/messages`;
    // A connection that breaks is an attempt that failed.
    const answer: Answer | undefined = await server.rest("POST", path, user.token, body).catch(() => undefined);
    if (answer?.status === 201) {
      record.seq = answer.expect<{ seq: number }>(201).seq;
      return;
    }
    const { error } = (answer?.body ?? {}) as { error?: WireError };
    const at = performance.now();
    client.failures.push({ event: `POST ${path}`, type: error?.type ?? "NO_ANSWER", ms: at - begunAt, at });
    if (error && !error.retryable) throw new Error(`POST ${path}: ${JSON.stringify(error)}`);
    await pause(RETRY_MS);
  }
}
