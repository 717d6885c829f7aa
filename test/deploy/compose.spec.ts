import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { SETTINGS } from "../../lib/config";
import { ROLES, routesOf } from "../../services/roles";
import { OBTAIN_MS, outcomeOf, pythonTool, ROOT } from "./tools";

interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly deploy?: { readonly replicas?: number };
  readonly healthcheck?: { readonly disable?: boolean };
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly user?: string;
}

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const TEXT = read("docker-compose.yml");
const compose = parse(TEXT, { merge: true }) as {
  services: Record<string, Container>;
  networks: Record<string, { internal?: boolean }>;
};
const containers = Object.entries(compose.services);
const nodes = containers.filter(([name]) => name in ROLES || name === "migrate");
const roles = containers.filter(([name]) => name in ROLES);

/** Beyond DRAIN_SECONDS, after which a process ends itself (bin/parley.ts). */
const STOP_MARGIN_SECONDS = 10;

describe("docker-compose.yml", () => {
  it(
    "is what the compose specification allows",
    async () => {
      const { program, args } = await pythonTool("check_jsonschema");
      const check = (file: string) => outcomeOf(program, [...args, "--builtin-schema", "vendor.compose-spec", file]);
      expect(await check("docker-compose.yml")).toMatchObject({ ok: true });
      expect(await check("package.json")).toMatchObject({ ok: false });
    },
    OBTAIN_MS,
  );

  it("runs every role, io and core twice, and the stores", () => {
    const always = containers.filter(([, { profiles }]) => !profiles).map(([name]) => name);
    expect(always.sort()).toEqual([...Object.keys(ROLES), "front", "migrate", "mongo", "nats", "redis"].sort());
    for (const [role, services] of Object.entries(ROLES)) {
      expect(compose.services[role]?.environment?.["SERVICES"]).toBe(services.join(","));
    }
    const several = containers.filter(([, { deploy }]) => deploy?.replicas === 2).map(([name]) => name);
    expect(several).toEqual(["io", "core"]);
    const observe = containers.filter(([, { profiles }]) => profiles?.includes("observe")).map(([name]) => name);
    expect(observe).toEqual(["prometheus", "grafana", "jaeger"]);
  });

  it("sets only what is a setting", () => {
    const names = nodes.flatMap(([, { environment }]) => Object.keys(environment ?? {}));
    expect([...new Set(names)].filter((name) => !(name in SETTINGS))).toEqual([]);
  });

  it("takes every secret from the environment, and starts without none of them", () => {
    const secret = Object.keys(SETTINGS).filter((name) => SETTINGS[name as keyof typeof SETTINGS].secret);
    for (const [, { environment = {} }] of containers) {
      for (const [name, value] of Object.entries(environment)) {
        if (!secret.includes(name) && !name.endsWith("PASSWORD")) continue;
        if (name === "MONGODB_URI") expect(value).toBe("mongodb://mongo:27017/parley?replicaSet=rs0");
        else expect(value).toMatch(/\$\{[A-Z_]+:\?[^}]+\}/);
      }
    }
    for (const [, { environment }] of nodes) expect(environment).toHaveProperty("AUTH_KEYS");
  });

  it("leaves no container the means to harm its machine", () => {
    for (const [name, container] of containers) {
      expect({ name, ...container }).toMatchObject({
        name,
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
      expect(container.image).not.toMatch(/:latest$|^[^:]+$/);
      expect(container.volumes?.some((volume) => volume.includes("docker.sock")) ?? false).toBe(false);
    }
  });

  it("opens one port to the world, and keeps the stores away from it", () => {
    const open = containers.flatMap(([name, { ports }]) => (ports ?? []).map((port) => [name, port] as const));
    expect(open.filter(([, port]) => !port.startsWith("127.0.0.1:")).map(([name]) => name)).toEqual(["front"]);
    expect(compose.networks["data"]).toEqual({ internal: true });
    for (const store of ["nats", "redis", "mongo"]) expect(compose.services[store]?.networks).toEqual(["data"]);
  });

  it("waits for what a process needs: stores that are healthy, indexes that are built", () => {
    for (const store of ["nats", "redis", "mongo"]) {
      expect(compose.services[store]?.healthcheck?.disable ?? false).toBe(false);
      expect(compose.services[store]?.healthcheck).toBeDefined();
    }
    for (const [, container] of roles) {
      expect(container.depends_on).toEqual({
        migrate: { condition: "service_completed_successfully" },
        nats: { condition: "service_healthy" },
        redis: { condition: "service_healthy" },
        mongo: { condition: "service_healthy" },
      });
    }
    expect(compose.services["migrate"]?.command).toEqual(["node", "dist/bin/migrate.js"]);
  });

  it("gives each process longer to stop than it takes to drain", () => {
    for (const [, { stop_grace_period: grace = "10s", environment }] of roles) {
      const drain = Number(environment?.["DRAIN_SECONDS"] ?? SETTINGS.DRAIN_SECONDS.default);
      expect(Number.parseInt(grace, 10)).toBeGreaterThan(drain + STOP_MARGIN_SECONDS);
    }
  });

  it("mounts only files that are there", () => {
    const files = containers.flatMap(([, { volumes }]) => volumes ?? []).filter((volume) => volume.startsWith("./"));
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !existsSync(join(ROOT, file.split(":")[0] ?? "")))).toEqual([]);
  });
});

describe("the way in", () => {
  const front = read("docker/haproxy.cfg");

  it("leads the same socket paths to the io nodes as a local cluster and Kubernetes do", () => {
    const sockets = routesOf(1)
      .filter(({ group }) => group === "io")
      .map(({ prefix }) => prefix);
    const inFront = [...front.matchAll(/^ {2}acl socket path_beg (\S+)$/gm)].map(([, path]) => path);
    const ingress = parse(read("k8s/base/ingress-io.yaml")) as {
      spec: { rules: Array<{ http: { paths: Array<{ path: string }> } }> };
    };
    expect(inFront).toEqual(sockets);
    expect(ingress.spec.rules.flatMap(({ http }) => http.paths.map(({ path }) => path))).toEqual(sockets);
  });

  it("shows nobody the metrics", () => {
    expect(front).toMatch(/^ {2}http-request deny deny_status 404 if \{ path -i \/metrics \}$/m);
  });
});
