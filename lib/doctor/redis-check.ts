import Redis from "ioredis";
import type { Config } from "../config";
import { type Check, fail, type Finding, ok, warn } from "./finding";
import { timed, unreachable } from "./reach";

const PORT = 6_379;
const ANSWER_MS = 3_000;
const POLICY = "noeviction";

/** Is Redis there, does it let us in, and does it keep what it is given? */
export const redisCheck = (config: Config): Check => ({
  name: "redis",
  async run() {
    if (config.REDIS_URL === undefined) return [ok("REDIS_URL is not set: this process keeps it in its memory")];
    const address = new URL(config.REDIS_URL);
    const reason = await unreachable(address.hostname, Number(address.port || PORT));
    if (reason) return [fail(reason, "Start Redis there, or correct REDIS_URL.")];
    return ask(config.REDIS_URL);
  },
});

async function ask(url: string): Promise<Finding[]> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let lastError = "";
  client.on("error", ({ message }) => (lastError = message));
  try {
    await client.connect();
    const { ms } = await timed(() => client.ping());
    const info = fieldsOf(await client.info());
    return [ok(`Redis ${info.get("redis_version") ?? "?"} answers in ${ms} ms`), ...judge(info)];
  } catch (error) {
    return [explain(`${lastError} ${(error as Error).message}`)];
  } finally {
    if (client.status !== "end") client.disconnect();
  }
}

/** `name:value` lines. */
const fieldsOf = (info: string): Map<string, string> =>
  new Map(
    info.split(/\r?\n/).flatMap((line): Array<[string, string]> => {
      const at = line.indexOf(":");
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );

function judge(info: ReadonlyMap<string, string>): Finding[] {
  const findings: Finding[] = [];
  const policy = info.get("maxmemory_policy");
  if (policy === undefined) findings.push(warn("its eviction policy is not told", `See that it is ${POLICY}.`));
  else if (policy !== POLICY)
    findings.push(
      fail(
        `it evicts keys when memory runs out (${policy}): users would go offline`,
        `Set maxmemory-policy ${POLICY}.`,
      ),
    );
  if (info.get("role") === "slave" || info.get("role") === "replica")
    findings.push(fail("this is a replica and takes no writes", "Put the primary's address into REDIS_URL."));
  return findings;
}

function explain(message: string): Finding {
  if (/NOAUTH|WRONGPASS|invalid password|NOPERM/i.test(message))
    return fail("Redis does not let us in", "Correct user and password in REDIS_URL.");
  if (/DB index|out of range/i.test(message))
    return fail("Redis has no database of this number", "Correct the end of REDIS_URL.");
  if (/LOADING/.test(message)) return fail("Redis still loads its data", "Wait, then run this again.");
  return fail("Redis was reached, but does not answer", "See what listens there, and whether it wants rediss://.");
}
