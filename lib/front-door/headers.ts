import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

/** Headers that concern one connection only: RFC 9110, section 7.6.1. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
];

/** Without what concerns one connection only, the headers that `Connection` names among it. */
export function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const copy = { ...headers };
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  for (const name of [...named, ...HOP_BY_HOP]) delete copy[name];
  return copy;
}

/** X-Forwarded-For with the peer appended: the entry that our upstreams believe. */
export function forwardedFor({ headers, socket }: Pick<IncomingMessage, "headers" | "socket">): string {
  const peer = socket.remoteAddress ?? "unknown";
  const known = headers["x-forwarded-for"];
  return known === undefined ? peer : `${Array.isArray(known) ? known.join(", ") : known}, ${peer}`;
}
