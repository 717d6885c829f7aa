import { spawn } from "node:child_process";
import { join } from "node:path";
import Redis from "ioredis";
import { readConfig } from "../../lib/config";
import type { Check, Finding } from "../../lib/doctor/finding";
import { natsCheck } from "../../lib/doctor/nats-check";
import { redisCheck } from "../../lib/doctor/redis-check";
import { storeCheck } from "../../lib/doctor/store-check";
import { observe } from "../../lib/observer";
import { COLLECTIONS } from "../../services/collections";
import { build } from "../support/build";
import { TestCluster } from "../support/cluster";
import { Program } from "../support/program";
import { freePort } from "../support/server";
import { NatsServer } from "../support/servers/nats";
import { RedisServer } from "../support/servers/redis";
import { freshDatabase } from "../support/servers/shared";

interface Report {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** Runs `npm run doctor` with the settings of a cluster. */
async function examine({ environment, url }: TestCluster, env: NodeJS.ProcessEnv = {}): Promise<Report> {
  const child = spawn(process.execPath, [join(await build(), "bin/doctor.js"), "--url", url], {
    env: { ...environment, ...env },
  });
  const { code, output } = await new Program(child).ended;
  return { code, lines: output.trimEnd().split("\n") };
}

describe("npm run doctor", () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start({ gateway: 1, io: 2, core: 2, scheduler: 1 });
  });
  afterAll(() => cluster.stop());

  it("finds nothing broken in a cluster that works, says what it looked at, and tells no secret", async () => {
    const { code, lines } = await examine(cluster);
    expect(lines.filter((line) => line.startsWith("FAIL"))).toEqual([]);
    expect(code).toBe(0);
    const links = new Set(lines.map((line) => line.split(/ +/)[1]));
    expect([...links]).toEqual(["settings", "keys", "nats", "redis", "store", "nodes", "public"]);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^ok +nats +NATS \S+ answers in \d+ ms$/),
        expect.stringMatching(/^ok +redis +Redis \S+ answers in/),
        expect.stringMatching(/^ok +store +a write of the majority, with its journal, takes \d+ ms$/),
        expect.stringMatching(/^ok +store +every index is there$/),
        expect.stringMatching(/^ok +nodes +core-2 is ready$/),
        expect.stringMatching(/^ok +nodes +AUTH_KEYS is the same on 6 nodes and here; \S+ signs$/),
        expect.stringMatching(/^ok +nodes +the clocks of 6 nodes agree within \d+ ms$/),
        expect.stringMatching(/^ok +public +the websocket upgrade works$/),
        expect.stringMatching(/^ok +public +pages of http\S+ may connect, others may not$/),
      ]) as unknown,
    );
    expect(lines.join("\n")).not.toContain(cluster.environment["AUTH_KEYS"]?.split(":")[1]);
  });

  it("finds that AUTH_KEYS here is not the cluster's", async () => {
    const { code, lines } = await examine(cluster, { AUTH_KEYS: `spec:${"A".repeat(43)}` });
    expect(code).toBe(1);
    expect(lines).toContainEqual(expect.stringMatching(/^FAIL +nodes +AUTH_KEYS here is not that of core-1, /));
  });

  it("names the node that stands still, what nobody runs, and what clients do not get", async () => {
    await Promise.all([...cluster.of("io"), ...cluster.of("scheduler")].map((node) => node.kill("SIGTERM")));
    cluster.node("core-1").suspend();
    const { code, lines } = await examine(cluster);
    cluster.node("core-1").resume();
    expect(code).toBe(1);
    // After three seconds it is not among the nodes any more.
    expect(lines.join("\n")).not.toMatch(/core-1 is ready/);
    for (const line of [
      /^FAIL +nodes +nobody runs io: no sockets/,
      /^warn +nodes +nobody runs scheduler: timed work is left undone/,
      /^FAIL +public +long-polling answers 502/,
      /^FAIL +public +the websocket upgrade is refused/,
    ])
      expect(lines).toContainEqual(expect.stringMatching(line));
  });
});

describe("the doctor's checks of servers", () => {
  const nats = new NatsServer({ args: ["--user", "anna", "--pass", "right"], client: { user: "anna", pass: "right" } });
  const redis = new RedisServer({ args: ["--maxmemory-policy", "allkeys-lru"] });

  beforeAll(() => nats.start());
  afterAll(() => nats.stop());

  const config = (env: Readonly<Record<string, string>>) => readConfig(env);
  const textsOf = (findings: readonly Finding[]): string =>
    findings.map(({ level, text, advice = "" }) => `${level} ${text}. ${advice}`).join("\n");
  const look = async (check: Check): Promise<string> => textsOf(await check.run());

  it("name servers that are not there", async () => {
    const nowhere = `127.0.0.1:${await freePort()}`;
    const NATS_URL = `nats://${nowhere}`;
    expect(await look(natsCheck(config({ NATS_URL })))).toMatch(/^fail nothing listens on 127.*correct NATS_URL/);
    expect(await look(redisCheck(config({ REDIS_URL: `redis://${nowhere}` })))).toMatch(/^fail nothing listens on 127/);
    const store = storeCheck(config({ MONGODB_URI: `mongodb://anna:hunter2@${nowhere}/a` }), COLLECTIONS);
    expect(await look(store)).toMatch(/^fail no MongoDB server that takes writes was found/);
    await expect(observe({ config: config({ NATS_URL, LOG_LEVEL: "silent" }), name: "spec" })).rejects.toThrow(
      `There is no connection to NATS at ${nowhere}: CONNECTION_REFUSED.`,
    );
  });

  it("tell a wrong password, and repeat none", async () => {
    const url = (password: string) => nats.url.replace("//", `//anna:${password}@`);
    expect(await look(natsCheck(config({ NATS_URL: url("right") })))).toMatch(/^ok NATS/);
    const wrong = await look(natsCheck(config({ NATS_URL: url("hunter2") })));
    expect(wrong).toMatch(/^fail NATS does not let us in\. Correct user and password/);
    expect(wrong).not.toContain("hunter2");
  });

  it("say that Redis would throw away what it is given, or does not let us in", async () => {
    await redis.start();
    const client = new Redis(redis.url);
    await client.config("SET", "requirepass", "right");
    client.disconnect();
    const url = (password: string) => redis.url.replace("//", `//:${password}@`);
    const found = await look(redisCheck(config({ REDIS_URL: url("right") })));
    expect(found).toMatch(/^fail it evicts keys .*allkeys-lru.*Set maxmemory-policy noeviction/m);
    expect(await look(redisCheck(config({ REDIS_URL: url("wrong") })))).toMatch(/^fail Redis does not let us in/);
    await redis.stop();
  });

  it("say that the store is not migrated", async () => {
    const database = freshDatabase();
    const found = await look(storeCheck(config({ MONGODB_URI: database.url }), COLLECTIONS));
    expect(found).toMatch(/^fail .*events.* is missing; and \d+ more\. Run npm run migrate\.$/m);
    await database.drop();
  });

  it("say that nobody is there in a namespace", async () => {
    const settings = { NATS_URL: nats.url.replace("//", "//anna:right@"), NAMESPACE: "empty", LOG_LEVEL: "silent" };
    await expect(observe({ config: config(settings), name: "spec" })).rejects.toThrow('in the namespace "empty"');
  });
});
