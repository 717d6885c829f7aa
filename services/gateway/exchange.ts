import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "moleculer";

/** A request on its way through the gateway, with what our entry and moleculer-web put on it. */
export interface ApiRequest extends IncomingMessage {
  requestId: string;
  ip: string;
  body?: unknown;
  query: URLSearchParams;
  $ctx: Context;
  $params: { params: Record<string, string> };
}

export type ApiResponse = ServerResponse;
