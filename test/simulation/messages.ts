import type { Action, CommandParams, ConversationCommand } from "../../actors/conversation/conversation.commands";
import type { ErrorType } from "../../lib/errors";
import type { WireEvent } from "../../services/schemas";

/** A command as a client asks for it. */
export type Request = {
  [A in Action]: {
    readonly conversationId: string;
    readonly commandId: string;
    readonly by: string;
    readonly supervises: boolean;
    readonly action: A;
    readonly params: CommandParams[A];
  };
}[Action];

export const keyOf = ({ by, commandId, conversationId }: Omit<Request, "action" | "params" | "supervises">): string =>
  `${conversationId} ${by} ${commandId}`;

export function toCommand(request: Request, deadline: number): ConversationCommand {
  const { conversationId: _, ...rest } = request;
  return { ...rest, deadline, request: JSON.stringify([request.action, request.params]) } as ConversationCommand;
}

/** What a command came to. */
export type Answer =
  | { readonly kind: "done"; readonly seq: number; readonly id: string }
  | { readonly kind: "no-op"; readonly seq: number }
  | { readonly kind: "refused"; readonly type: ErrorType; readonly data: Record<string, unknown> | undefined };

export interface SyncResult {
  readonly events: readonly WireEvent[];
  readonly reset: readonly string[];
  readonly more: boolean;
}
