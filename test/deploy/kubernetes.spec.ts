import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROLES } from "../../services/roles";
import { SETTINGS } from "../../lib/config";
import { type Container, type Manifest, type Overlay, overlay, selects } from "./manifests";
import { OBTAIN_MS, outcomeOf, pythonTool, ROOT } from "./tools";

/** Beyond DRAIN_SECONDS, after which a process ends itself (bin/parley.ts). */
const STOP_MARGIN_SECONDS = 10;
const WORKLOADS = Object.entries(ROLES);
const OVERLAYS = readdirSync(join(ROOT, "k8s", "overlays"));

const folder = mkdtempSync(join(tmpdir(), "parley-deploy-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function validate(text: string) {
  const file = join(folder, "rendered.yaml");
  writeFileSync(file, text);
  const { program, args } = await pythonTool("kubernetes_validate");
  return outcomeOf(program, [...args, "--strict", "-k", "1.37", file]);
}

const containerOf = ({ spec }: Manifest): Container => {
  const [container, ...others] = spec.template.spec.containers;
  if (!container || others.length > 0) throw new Error("there is more than one container");
  return container;
};
const envOf = (manifest: Manifest): Record<string, string | undefined> =>
  Object.fromEntries((containerOf(manifest).env ?? []).map(({ name, value }) => [name, value]));

it("runs every service in one role", () => {
  const services = readdirSync(join(ROOT, "services")).filter((name) =>
    existsSync(join(ROOT, "services", name, `${name}.service.ts`)),
  );
  expect(WORKLOADS.flatMap(([, names]) => names).sort()).toEqual(services.sort());
});

describe.each(OVERLAYS)("overlay %s", (name) => {
  let rendered: Overlay;
  let pods: readonly Manifest[];
  let workloads: ReadonlyArray<readonly [manifest: Manifest, services: readonly string[]]>;

  beforeAll(async () => {
    rendered = await overlay(name);
    pods = ["Deployment", "StatefulSet", "Job"].flatMap((kind) => rendered.of(kind));
    workloads = WORKLOADS.map(([role, services]) => [rendered.get("Deployment", role), services] as const);
  }, OBTAIN_MS);

  it(
    "is what Kubernetes' own schemas allow",
    async () => {
      const good = await validate(rendered.text);
      expect(good).toMatchObject({ ok: true });
      expect(good.text.match(/ passed for /g)).toHaveLength(rendered.all.length);
      const bad = await validate(
        rendered.text.replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: maybe"),
      );
      expect(bad).toMatchObject({ ok: false });
    },
    OBTAIN_MS,
  );

  it("runs each role's services in a workload of its own, from one image", () => {
    expect(rendered.of("Deployment").map(({ metadata }) => metadata.name)).toEqual(Object.keys(ROLES).sort());
    for (const [manifest, services] of workloads) expect(envOf(manifest)["SERVICES"]).toBe(services.join(","));
    const images = [...rendered.of("Deployment"), ...rendered.of("Job")].map((pod) => containerOf(pod).image);
    expect(new Set(images).size).toBe(1);
    expect(images[0]).toMatch(/parley:(?!latest).+$/);
  });

  it("sets only what is a setting, and allowed", () => {
    const settings = [...rendered.of("ConfigMap").flatMap(({ data }) => Object.entries(data ?? {}))];
    const given = [...rendered.of("Deployment"), ...rendered.of("Job")].flatMap((pod) => Object.entries(envOf(pod)));
    for (const [key, value] of [...settings, ...given]) {
      if (key === "NODE_OPTIONS") continue;
      expect(SETTINGS).toHaveProperty(key);
      if (value !== undefined && value !== "") {
        expect(() => SETTINGS[key as keyof typeof SETTINGS].parse(value)).not.toThrow();
      }
    }
  });

  it("holds no secret, and takes them all by reference", () => {
    expect(rendered.of("Secret")).toEqual([]);
    const secrets = Object.keys(SETTINGS).filter((key) => SETTINGS[key as keyof typeof SETTINGS].secret);
    for (const manifest of pods) {
      for (const { name: key, value, valueFrom } of containerOf(manifest).env ?? []) {
        if (!secrets.includes(key)) continue;
        expect({ key, value, reference: valueFrom?.secretKeyRef }).toEqual({
          key,
          value: undefined,
          reference: { name: "parley", key },
        });
      }
    }
    for (const [manifest] of workloads) {
      expect(Object.keys(envOf(manifest))).toEqual(
        expect.arrayContaining(["NATS_URL", "REDIS_URL", "MONGODB_URI", "AUTH_KEYS"]),
      );
    }
    const settings = rendered.of("ConfigMap").flatMap(({ data }) => Object.keys(data ?? {}));
    expect(settings.filter((key) => secrets.includes(key))).toEqual([]);
  });

  it("asks each process whether it lives and is ready, on the port that it serves", () => {
    for (const [manifest] of workloads) {
      const { ports, startupProbe, livenessProbe, readinessProbe } = containerOf(manifest);
      expect(ports).toEqual([{ name: "http", containerPort: SETTINGS.PORT.default }]);
      expect(startupProbe?.httpGet).toEqual({ path: "/health/live", port: "http" });
      expect(livenessProbe?.httpGet).toEqual({ path: "/health/live", port: "http" });
      expect(readinessProbe?.httpGet).toEqual({ path: "/health/ready", port: "http" });
    }
  });

  it("gives each process longer to stop than it takes to drain", () => {
    for (const [manifest] of workloads) {
      const { terminationGracePeriodSeconds = 30 } = manifest.spec.template.spec;
      const sleep = containerOf(manifest).lifecycle?.preStop?.sleep?.seconds ?? 0;
      const drain = Number(envOf(manifest)["DRAIN_SECONDS"] ?? SETTINGS.DRAIN_SECONDS.default);
      expect(sleep).toBeGreaterThan(0);
      expect(terminationGracePeriodSeconds).toBeGreaterThan(sleep + drain + STOP_MARGIN_SECONDS);
    }
  });

  it("leaves no process the means to harm its machine", () => {
    for (const manifest of pods) {
      const pod = manifest.spec.template.spec;
      const container = containerOf(manifest);
      expect(pod).toMatchObject({ automountServiceAccountToken: false });
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      expect(container.securityContext).toEqual({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
      });
      for (const amounts of [container.resources?.requests, container.resources?.limits]) {
        expect(Object.keys(amounts ?? {}).sort()).toEqual(["cpu", "memory"]);
      }
    }
    expect(rendered.of("Namespace")[0]?.metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
    });
  });

  it("keeps each workload up while machines go and while a version is rolled out", () => {
    for (const [manifest] of workloads) {
      const { labels } = manifest.spec.template.metadata;
      const budgets = rendered.of("PodDisruptionBudget").filter(({ spec }) => selects(spec.selector, labels));
      expect(budgets.map(({ metadata }) => metadata.name)).toEqual([manifest.metadata.name]);
      const spread = manifest.spec.template.spec.topologySpreadConstraints ?? [];
      expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
      ]);
      for (const { labelSelector } of spread) expect(selects(labelSelector, labels)).toBe(true);
      expect(manifest.spec.strategy?.rollingUpdate?.maxUnavailable).toBe(0);
    }
  });

  it("says how many of each there are in one place only", () => {
    const scaled = rendered.of("HorizontalPodAutoscaler").map(({ spec }) => spec.scaleTargetRef?.name);
    for (const [{ spec, metadata }] of workloads) {
      expect({ name: metadata.name, fixed: spec.replicas !== undefined }).toEqual({
        name: metadata.name,
        fixed: !scaled.includes(metadata.name),
      });
    }
  });

  it("denies all traffic but what is named", () => {
    const policies = rendered.of("NetworkPolicy");
    expect(rendered.get("NetworkPolicy", "deny-all").spec).toEqual({
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
    });
    for (const pod of pods) {
      const { labels } = pod.spec.template.metadata;
      const own = policies.filter(({ spec }) => selects(spec.podSelector, labels));
      const open = own.flatMap(({ spec }) => [...(spec.ingress ?? []), ...(spec.egress ?? [])]);
      for (const { from, to, ports } of open) {
        expect([...(from ?? []), ...(to ?? [])]).not.toEqual([]);
        expect(ports ?? []).not.toEqual([]);
      }
    }
    const clients = (labels: Record<string, string>) =>
      policies.filter(({ spec }) =>
        spec.ingress?.some(({ from }) =>
          from?.some(
            ({ namespaceSelector }) =>
              selects(namespaceSelector, { "kubernetes.io/metadata.name": "ingress-nginx" }) && namespaceSelector,
          ),
        )
          ? selects(spec.podSelector, labels)
          : false,
      ).length > 0;
    for (const [{ metadata, spec }] of workloads) {
      expect(clients(spec.template.metadata.labels)).toBe(["gateway", "io"].includes(metadata.name));
    }
  });

  it("lets every process reach broker, keys and documents, and the stores nobody but processes", () => {
    const processes = pods.filter(
      ({ spec }) => spec.template.metadata.labels["app.kubernetes.io/part-of"] === "parley",
    );
    for (const { spec } of processes) {
      const { labels } = spec.template.metadata;
      const open = rendered
        .of("NetworkPolicy")
        .filter((policy) => selects(policy.spec.podSelector, labels))
        .flatMap(({ spec: { egress } }) => egress?.flatMap(({ ports }) => ports?.map(({ port }) => port) ?? []) ?? []);
      expect([...new Set(open)].sort((a, b) => a - b)).toEqual([53, 4_222, 6_379, 27_017]);
    }
    for (const store of rendered.of("StatefulSet")) {
      const [port] = containerOf(store).ports ?? [];
      const policy = rendered.get("NetworkPolicy", store.metadata.name).spec;
      expect(policy.ingress?.map(({ ports }) => ports)).toEqual([[{ protocol: "TCP", port: port?.containerPort }]]);
      for (const { from } of policy.ingress ?? []) {
        for (const { podSelector } of from ?? []) {
          expect(processes.every(({ spec }) => selects(podSelector, spec.template.metadata.labels))).toBe(true);
          expect(selects(podSelector, { "app.kubernetes.io/name": "stranger" })).toBe(false);
        }
      }
    }
  });

  it("leads socket paths to the io nodes, everything else to the gateways, and strangers to no metrics", () => {
    const routes = rendered
      .of("Ingress")
      .flatMap(({ metadata, spec }) =>
        (spec.rules ?? []).flatMap(({ host, http }) =>
          http.paths.map(({ path, backend }) => ({ ingress: metadata.name, host, path, to: backend.service })),
        ),
      );
    expect(new Set(routes.map(({ host }) => host)).size).toBe(1);
    for (const { to } of routes) {
      const { spec } = rendered.get("Service", to.name);
      const target = spec.ports?.find((port) => port.name === to.port.name)?.targetPort;
      expect(target).toBe("http");
      expect(spec.selector).toEqual({ "app.kubernetes.io/name": to.name });
    }
    expect(routes.filter(({ to }) => to.name === "io").map(({ path }) => path)).toEqual(["/socket.io/"]);
    expect(routes.find(({ path }) => path === "/")).toMatchObject({ to: { name: "gateway" } });
    const metrics = routes.find(({ path }) => path === "/metrics");
    expect(rendered.get("Ingress", metrics?.ingress ?? "").metadata.annotations).toMatchObject({
      "nginx.ingress.kubernetes.io/whitelist-source-range": "127.0.0.1/32",
    });
  });

  it("keeps a socket open, and its long-polling at one node", () => {
    const { annotations = {} } = rendered.get("Ingress", "io").metadata;
    expect(annotations["nginx.ingress.kubernetes.io/affinity"]).toBe("cookie");
    expect(Number(annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"])).toBeGreaterThanOrEqual(3_600);
  });

  it("builds the indexes before anything else can run", () => {
    expect(containerOf(rendered.get("Job", "migrate")).command).toEqual(["node", "dist/bin/migrate.js"]);
  });
});

describe("production", () => {
  it("scales gateway, io and core, and io down slowly", async () => {
    const rendered = await overlay("prod");
    const scalers = rendered.of("HorizontalPodAutoscaler");
    expect(scalers.map(({ spec }) => spec.scaleTargetRef?.name)).toEqual(["core", "gateway", "io"]);
    for (const { spec } of scalers) {
      expect(spec.minReplicas).toBeGreaterThanOrEqual(2);
      expect(spec.maxReplicas).toBeGreaterThan(spec.minReplicas ?? 0);
    }
    const slow = rendered.get("HorizontalPodAutoscaler", "io").spec.behavior?.scaleDown;
    expect(slow?.stabilizationWindowSeconds).toBeGreaterThanOrEqual(1_800);
  });

  it("runs no store of its own", async () => {
    expect((await overlay("prod")).of("StatefulSet")).toEqual([]);
    expect((await overlay("dev")).of("StatefulSet").map(({ metadata }) => metadata.name)).toEqual([
      "mongo",
      "nats",
      "redis",
    ]);
  });
});
