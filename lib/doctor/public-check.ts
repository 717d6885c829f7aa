import type { Config } from "../config";
import { type Check, fail, type Finding, ok, warn } from "./finding";
import { isLoopback, timed, unreachable } from "./reach";

const ANSWER_MS = 10_000;
const ENGINE = "/socket.io/?EIO=4&transport=";
/** A name that nobody has: RFC 2606. */
const FOREIGN = "https://doctor.invalid";
/** With several nodes behind a proxy without affinity, one of so many connections falls apart almost surely. */
const CONNECTIONS = 6;

/** What a client meets at the public address: REST, long-polling, websocket, and who may connect. */
export const publicCheck = (config: Config, url: string): Check => ({
  name: "public",
  async run() {
    const { hostname, port, protocol } = new URL(url);
    const reason = await unreachable(hostname, Number(port || (protocol === "https:" ? 443 : 80)));
    if (reason) return [fail(reason, "Start the server, correct the address (--url), or open the firewall.")];
    const rest = await answers(url);
    if (rest.level === "fail") return [rest];
    return [rest, await polling(url), await websocket(url), ...(await origins(config, url)), ...secured(url)];
  },
});

const ask = (url: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(ANSWER_MS) });

async function answers(url: string): Promise<Finding> {
  try {
    const { ms, answer } = await timed(() => ask(`${url}/health/ready`));
    // An Ingress may keep the health pages inside.
    if (answer.status === 404) return warn("REST is reached; /health is not public", "That may be as you want it.");
    if (answer.ok) return ok(`${url} is ready and answers in ${ms} ms`);
    const advice = "See which part is down above, or whether the proxy finds a gateway.";
    return fail(`${url}/health/ready answers ${answer.status}: ${(await answer.text()).slice(0, 200)}`, advice);
  } catch (error) {
    return fail(`${url} gives no HTTP answer: ${causeOf(error)}`, "See the proxy in front, and its certificate.");
  }
}

/** Each connection needs its later requests to reach the node of its first one. */
async function polling(url: string): Promise<Finding> {
  try {
    for (let n = 0; n < CONNECTIONS; n++) {
      const opened = await ask(`${url}${ENGINE}polling`);
      if (!opened.ok)
        return fail(`long-polling answers ${opened.status}`, "Route /socket.io/ to the io nodes; see LIMIT_SOCKETS.");
      const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
      const sent = await ask(`${url}${ENGINE}polling&sid=${encodeURIComponent(sid)}`, { method: "POST", body: "1" });
      if (sent.status === 400)
        return fail("the requests of one long-polling client reach different nodes", "Give the proxy affinity.");
    }
    return ok("long-polling works, and stays with one node");
  } catch (error) {
    return fail(`long-polling does not work: ${causeOf(error)}`, "Route /socket.io/ to the io nodes.");
  }
}

function websocket(url: string): Promise<Finding> {
  const advice = "Let the proxy pass the Upgrade and Connection headers of /socket.io/.";
  return new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}${ENGINE}websocket`);
    const end = (finding: Finding) => {
      clearTimeout(timer);
      socket.close();
      resolve(finding);
    };
    const timer = setTimeout(() => end(fail("the websocket upgrade is not answered", advice)), ANSWER_MS);
    socket.addEventListener("message", () => end(ok("the websocket upgrade works")));
    socket.addEventListener("error", () => end(fail("the websocket upgrade is refused", advice)));
  });
}

async function origins({ ALLOWED_ORIGINS: allowed }: Config, url: string): Promise<Finding[]> {
  const asPage = async (origin: string) => (await ask(`${url}${ENGINE}polling`, { headers: { origin } })).ok;
  if (allowed.includes("*"))
    return [warn("ALLOWED_ORIGINS is *: every web page may connect", "Name the origins of your own pages.")];
  const own = allowed.length > 0 ? allowed : [new URL(url).origin];
  const findings: Finding[] = [];
  for (const origin of own)
    if (!(await asPage(origin)))
      findings.push(
        fail(
          `pages of ${origin} may not connect`,
          "See that all io nodes have the same ALLOWED_ORIGINS, and the Host header.",
        ),
      );
  if (await asPage(FOREIGN))
    findings.push(fail("pages of any origin may connect", "See that all io nodes have these ALLOWED_ORIGINS."));
  for (const origin of allowed)
    if (origin.startsWith("http://") && !isLoopback(new URL(origin).hostname))
      findings.push(warn(`the origin ${origin} is not encrypted`, "Serve that page over https."));
  return findings.length > 0 ? findings : [ok(`pages of ${own.join(", ")} may connect, others may not`)];
}

function secured(url: string): Finding[] {
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:" || isLoopback(hostname)) return [];
  return [warn("tokens travel unencrypted", "Put a proxy with TLS in front, and give its address with --url.")];
}

/** Undici hides the reason in the cause. */
function causeOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
