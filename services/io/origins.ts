import type { IncomingHttpHeaders } from "node:http";

/**
 * May this request open a socket? Browsers name the page's origin, and it must be allowed; whoever sends no Origin is
 * no browser and carries no foreign page's intent. An empty list allows the server's own origin only.
 */
export function isOriginAllowed(headers: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  if (allowed.length > 0) return allowed.includes("*") || allowed.includes(origin.toLowerCase());
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase();
}
