import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceBroker, type ServiceSchema } from "moleculer";
import { readConfig } from "../../../lib/config";
import { diagnose } from "../../../lib/doctor/diagnose";
import { fail, type Finding, ok, warn } from "../../../lib/doctor/finding";
import { keyAgreement } from "../../../lib/doctor/key-agreement";
import { keysCheck } from "../../../lib/doctor/keys-check";
import { nodesCheck } from "../../../lib/doctor/nodes-check";
import { storeCheck } from "../../../lib/doctor/store-check";
import { systemClock, systemRandom } from "../../../lib/actor/ports";
import { keyFingerprints } from "../../../lib/key-fingerprints";
import { routingMiddleware } from "../../../lib/middlewares/routing";
import { until } from "../../support/wait";

const DAY_MS = 86_400_000;
const SECRET = "A".repeat(43);

const textsOf = (findings: readonly Finding[]): string =>
  findings.map(({ level, text, advice = "" }) => `${level} ${text}. ${advice}`).join("\n");

describe("a diagnosis", () => {
  const run = async (findings: ReadonlyArray<() => Promise<Finding[]>>) => {
    const lines: string[] = [];
    const checks = findings.map((each, at) => ({ name: `link-${at}`, run: each }));
    const worst = await diagnose(checks, (line) => lines.push(line), 50);
    return { lines, worst };
  };

  it("has a line for each finding, with what to do, and the worst level", async () => {
    expect(await run([async () => [ok("fine"), warn("old", "Renew it.")], async () => [ok("fine")]])).toEqual({
      lines: ["ok    link-0      fine", "warn  link-0      old. Renew it.", "ok    link-1      fine"],
      worst: "warn",
    });
    expect((await run([async () => [fail("A sentence.", "Mend it.")]])).lines).toEqual([
      "FAIL  link-0      A sentence. Mend it.",
    ]);
    expect((await run([async () => [fail("broken", "Mend it.")], async () => [warn("old", "")]])).worst).toBe("fail");
  });

  it("goes on after a check that throws, or never ends", async () => {
    const { lines, worst } = await run([
      () => Promise.reject(new Error("boom")),
      () => new Promise(() => undefined),
      async () => [ok("fine")],
    ]);
    expect(lines).toEqual([
      expect.stringMatching(/^FAIL {2}link-0 +boom/),
      expect.stringMatching(/^FAIL {2}link-1 +gave no answer in 0.05 s/),
      "ok    link-2      fine",
    ]);
    expect(worst).toBe("fail");
  });
});

describe("the age of keys", () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-doctor-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const now = Date.UTC(2026, 10, 21);
  const look = async (env: Record<string, string>) => textsOf(await keysCheck(readConfig(env), now).run());

  it("is known by the date in the id of the key that signs", async () => {
    expect(await look({ AUTH_KEYS: `k-2026-11-01:${SECRET}` })).toMatch(/^ok k-2026-11-01 signs; it is 20 days old/);
    expect(await look({ AUTH_KEYS: `k20250101:${SECRET},b:${SECRET}` })).toMatch(
      /^warn k20250101 signs, 1 more verifies; it is 689 days old\. Put a new key in front/,
    );
  });

  it("is said to be unknown where nothing tells it", async () => {
    expect(await look({ AUTH_KEYS: `main:${SECRET}` })).toMatch(/^ok main signs; its age is not known/);
    expect(await look({ AUTH_KEYS: `main:${SECRET}` })).not.toContain(SECRET);
  });

  it("is that of the file where the server keeps it", async () => {
    expect(await look({ DATA_DIR: folder })).toMatch(/^ok a key is made at the first start/);
    const file = join(folder, "auth-keys.json");
    writeFileSync(file, "{}");
    utimesSync(file, new Date(now - 200 * DAY_MS), new Date(now - 200 * DAY_MS));
    expect(await look({ DATA_DIR: folder })).toMatch(/^warn .*it is 200 days old/);
  });

  it("is not that of the file where nodes meet, since no node of a cluster uses it", async () => {
    expect(await look({ DATA_DIR: folder, NATS_URL: "nats://127.0.0.1" })).toBe("");
  });
});

describe("the keys of the nodes", () => {
  const other = "B".repeat(43);
  const holder = (id: string, keys: string) => ({ id, keys: keyFingerprints(keys) });
  const core = holder("core-1", `k1:${SECRET}`);
  const look = (holders: ReadonlyArray<typeof core>, own?: string) =>
    textsOf(keyAgreement(holders, own === undefined ? undefined : keyFingerprints(own)));

  it("are told by fingerprints from which nobody learns them", () => {
    expect(core.keys).toEqual([expect.stringMatching(/^k1 [0-9a-f]{8}$/)]);
    expect(keyFingerprints(`k1:${SECRET}, k1:${other}`)[1]).not.toBe(core.keys[0]);
  });

  it("agree when they are the same everywhere", () => {
    const io = holder("io-1", `k1:${SECRET}`);
    expect(look([core, io])).toMatch(/^ok AUTH_KEYS is the same on 2 nodes; k1 signs/);
    expect(look([core], `k1:${SECRET}`)).toMatch(/^ok AUTH_KEYS is the same on one node and here; k1 signs/);
    expect(look([], `k1:${SECRET}`)).toBe("");
  });

  it("do not when a node, or the settings here, have others of the same name", () => {
    const stranger = holder("io-2", `k1:${other}`);
    expect(look([stranger, core, holder("io-1", `k1:${SECRET}`)])).toMatch(
      /^fail AUTH_KEYS of io-2 is not that of core-1, io-1: tokens are refused\. Give every process the same/,
    );
    expect(look([core], `k1:${other}`)).toMatch(/^fail AUTH_KEYS here is not that of core-1: tokens are refused/);
  });

  it("may differ while they are changed, as long as each side accepts the tokens of the other", () => {
    const ready = holder("core-1", `k1:${SECRET},k2:${other}`);
    expect(look([ready], `k2:${other},k1:${SECRET}`)).toMatch(/^warn AUTH_KEYS here differs from that of core-1/);
    expect(look([core], `k2:${other},k1:${SECRET}`)).toMatch(/^fail AUTH_KEYS here is not that of core-1/);
  });
});

describe("the folder of the embedded store", () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-doctor-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("can be written, is made, or is no folder", async () => {
    const look = async (DATA_DIR: string) => textsOf(await storeCheck(readConfig({ DATA_DIR }), []).run());
    writeFileSync(join(folder, "file"), "");
    expect(await look(folder)).toContain("can be written");
    expect(await look(join(folder, "new"))).toContain("is made at the first start");
    expect(await look(join(folder, "file"))).toMatch(/^fail .* is no folder\. Correct DATA_DIR\./);
  });
});

describe("the nodes", () => {
  const brokers: ServiceBroker[] = [];
  afterEach(async () => {
    await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
  });

  const start = async (nodeID: string, services: readonly ServiceSchema[] = []): Promise<ServiceBroker> => {
    const broker = new ServiceBroker({
      nodeID,
      logger: false,
      transporter: "Fake",
      namespace: "doctor",
      middlewares: [routingMiddleware({ clock: systemClock, random: systemRandom, timeoutMs: 1_000 })],
    });
    services.forEach((schema) => broker.createService(schema));
    await broker.start();
    return broker;
  };
  /** What a node says of itself; its clock is `aheadMs` ahead. */
  const saying = (parts: Readonly<Record<string, string>>, ready = true, aheadMs = 0): ServiceSchema => ({
    name: "node",
    actions: { state: () => ({ ready, parts, now: Date.now() + aheadMs }) },
  });
  const UP = { node: "ready", broker: "up", store: "up", kv: "up" };

  const look = async (nodes: Readonly<Record<string, ServiceSchema>>): Promise<string> => {
    for (const [id, schema] of Object.entries(nodes)) brokers.push(await start(id, [schema, { name: "io" }]));
    const join = async () => {
      const observer = await start("doctor");
      const known = () => observer.call<unknown[], object>("$node.list", {});
      await until("it knows them", async () => (await known()).length > Object.keys(nodes).length);
      return observer;
    };
    const needed = [
      { service: "io", without: "no sockets", level: "fail" },
      { service: "scheduler", without: "late", level: "warn" },
    ] as const;
    return textsOf(await nodesCheck({ join, needed }).run());
  };

  it("are told one by one, with what they do not reach and what nobody runs", async () => {
    const text = await look({
      a: saying(UP),
      b: saying({ ...UP, kv: "down" }),
      c: saying({ ...UP, store: "down" }, false),
      d: saying({ ...UP, node: "draining" }, false),
    });
    expect(text.split("\n")).toEqual([
      "ok a is ready. ",
      expect.stringMatching(/^warn b does not reach: kv\./),
      expect.stringMatching(/^fail c does not reach: store\./),
      expect.stringMatching(/^warn d is draining\./),
      expect.stringMatching(/^warn nobody runs scheduler: late\./),
      expect.stringMatching(/^ok the clocks of 4 nodes agree within/),
    ]);
  });

  it("are told when one does not answer", async () => {
    const silent = { name: "node", actions: { state: () => Promise.reject(new Error("boom")) } };
    expect(await look({ a: silent })).toMatch(/^fail a does not answer\./);
  });

  it.each([
    ["warn", 5_000],
    ["fail", 60_000],
  ])("are told (%s) when a clock is %i ms ahead", async (level, aheadMs) => {
    const text = await look({ a: saying(UP), b: saying(UP, true, aheadMs) });
    expect(text).toMatch(new RegExp(`^${level} the clock of b is \\d{4,5} ms ahead of that of a\\. Run NTP`, "m"));
  });
});
