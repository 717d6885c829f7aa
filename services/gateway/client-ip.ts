import type { IncomingMessage } from "node:http";

/**
 * The caller's address. X-Forwarded-For is the client's own word except for what our own proxies appended: with
 * `hops` of them in front, the entry that the outermost one wrote counts, from the right.
 */
export function clientIp(request: Pick<IncomingMessage, "headers" | "socket">, hops: number): string {
  const peer = request.socket.remoteAddress ?? "unknown";
  if (hops === 0) return peer;
  const header = request.headers["x-forwarded-for"];
  const entries = (Array.isArray(header) ? header.join(",") : (header ?? "")).split(",").map((entry) => entry.trim());
  const entry = entries.at(-hops);
  return entry ? entry : peer;
}
