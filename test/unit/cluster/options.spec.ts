import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { requireServers, sharedEnvironment } from "../../../bin/cluster/environment";
import { readOptions } from "../../../bin/cluster/options";
import { readConfig } from "../../../lib/config";
import { ROLES, routesOf } from "../../../services/roles";

const SERVICES = join(__dirname, "../../../services");

describe("the command line of a cluster", () => {
  it("counts the processes of each kind", () => {
    const { counts, restart } = readOptions(["--gateway", "3", "--core=4", "--scheduler", "0", "--no-restart"]);
    expect(counts).toEqual({ gateway: 3, io: 2, core: 4, scheduler: 0 });
    expect(restart).toBe(false);
  });

  it.each([
    ["--io", "0"],
    ["--core", "many"],
    ["--gateway", "1.5"],
    ["--io", "33"],
  ])("refuses %s %s", (name, value) => {
    expect(() => readOptions([name, value])).toThrow(`${name}: read "${value}"; allowed is an integer from 1 to 32`);
  });

  it("refuses what it does not know", () => {
    expect(() => readOptions(["--cores", "3"])).toThrow("--cores");
  });

  it("names every server that is missing, and what starts them", () => {
    const config = readConfig({ REDIS_URL: "redis://a" });
    expect(() => requireServers(config)).toThrow(/NATS_URL: missing.*\nMONGODB_URI: missing.*\n.*npm run servers/);
  });

  it("hands given keys on, and one more hop to trust", async () => {
    const AUTH_KEYS = `k:${"A".repeat(43)}=`;
    expect(await sharedEnvironment(readConfig({ AUTH_KEYS, TRUST_PROXY_HOPS: "1" }))).toMatchObject({
      AUTH_KEYS,
      TRUST_PROXY_HOPS: "2",
    });
  });
});

describe("the kinds of processes", () => {
  it("run each service once", () => {
    const all = readdirSync(SERVICES).filter((name) => existsSync(join(SERVICES, name, `${name}.service.ts`)));
    expect(Object.values(ROLES).flat().sort()).toEqual(all.sort());
  });

  it("serve sockets at io nodes, with affinity, and all else at gateways", () => {
    const route = (path: string) => routesOf(1_000).find(({ prefix }) => path.startsWith(prefix));
    expect(route("/socket.io/?EIO=4")).toMatchObject({ group: "io", affinity: expect.any(Function) as unknown });
    expect(["/", "/v1/me", "/health/ready", "/socket.iox"].map((path) => route(path)?.group)).toEqual(
      Array<string>(4).fill("gateway"),
    );
  });
});
