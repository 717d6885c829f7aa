import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { forwardedFor } from "./headers";
import { refuseUpgrade } from "./refusal";
import type { Upstream } from "./upstreams";

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly client: Duplex;
  /** What the client has already sent after its request. */
  readonly head: Buffer;
  /** The next upstream that was not tried. */
  pick(tried: ReadonlySet<Upstream>): Upstream | undefined;
}

const CONNECT_MS = 2_000;

/**
 * Hands an upgrade to an upstream and joins the two connections: what follows is copied, not parsed. When one side
 * ends, the other does.
 */
export function tunnel(upgrade: Upgrade, tried = new Set<Upstream>()): void {
  const { client, request, head } = upgrade;
  const upstream = client.destroyed ? undefined : upgrade.pick(tried);
  if (!upstream) {
    refuseUpgrade(client, "unavailable");
    return;
  }
  tried.add(upstream);
  upstream.active++;
  const { host, port } = upstream.target;
  const socket = connect({ host, port, noDelay: true });
  let joined = false;
  socket.setTimeout(CONNECT_MS, () => socket.destroy());
  socket.once("connect", () => {
    joined = true;
    socket.setTimeout(0);
    socket.write(requestHead(request));
    if (head.length > 0) socket.write(head);
    join(client, socket);
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNREFUSED") upstream.refused();
  });
  socket.once("close", () => {
    upstream.active--;
    if (joined) client.destroy();
    else tunnel(upgrade, tried);
  });
}

function join(client: Duplex, socket: Socket): void {
  client.once("close", () => socket.destroy());
  client.pipe(socket).pipe(client);
}

/** The request as it came, with the peer's address. Names and values were checked by the HTTP parser. */
function requestHead(request: IncomingMessage): string {
  const lines = [`${request.method} ${request.url} HTTP/1.1`];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] ?? "";
    if (name.toLowerCase() !== "x-forwarded-for") lines.push(`${name}: ${request.rawHeaders[at + 1] ?? ""}`);
  }
  return [...lines, `X-Forwarded-For: ${forwardedFor(request)}`, "", ""].join("\r\n");
}
