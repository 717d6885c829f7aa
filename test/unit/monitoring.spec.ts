import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { metricsByRole } from "../../bin/metrics-reference";
import type { MetricInfo } from "../../lib/metrics";
import { ROLES } from "../../services/roles";

const ROOT = join(__dirname, "../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: ReadonlyArray<{ readonly expr: string }>;
}

const { groups } = parse(read("monitoring/alerts.yml")) as { groups: ReadonlyArray<{ rules: readonly Alert[] }> };
const alerts = groups.flatMap(({ rules }) => rules);
const dashboard = JSON.parse(read("monitoring/grafana/dashboards/parley.json")) as { panels: readonly Panel[] };
const prometheus = parse(read("monitoring/prometheus.yml")) as {
  rule_files: readonly string[];
  scrape_configs: ReadonlyArray<{
    job_name: string;
    dns_sd_configs: ReadonlyArray<{ names: readonly string[]; port: number }>;
    relabel_configs: ReadonlyArray<{ target_label: string }>;
  }>;
};

/** What PromQL itself and Prometheus bring along. */
const FUNCTIONS = [
  "absent",
  "changes",
  "histogram_quantile",
  "increase",
  "max",
  "min",
  "rate",
  "sum",
  "by",
  "or",
  "and",
];
const GIVEN_LABELS = ["instance", "job", "role", "le"];

/** Names in an expression: metrics, and labels in `by (...)` and in matchers. Texts, numbers and durations are left out. */
function namesIn(expr: string): { metrics: string[]; labels: string[] } {
  const labels: string[] = [];
  const bare = expr
    .replaceAll(/\{([^}]*)\}/g, (_all, matchers: string) => {
      labels.push(...[...matchers.matchAll(/(\w+)\s*=?[=~!]/g)].map(([, label]) => label ?? ""));
      return "";
    })
    .replaceAll(/\bby\s*\(([^)]*)\)/g, (_all, list: string) => {
      labels.push(...list.split(",").map((label) => label.trim()));
      return "";
    })
    .replaceAll(/\[[^\]]*\]/g, "");
  const words = [...bare.matchAll(/[a-zA-Z_]\w*/g)].map(([word]) => word);
  return { metrics: words.filter((word) => !FUNCTIONS.includes(word)), labels };
}

describe("what monitoring asks for", () => {
  let known: Set<string>;
  let labels: Set<string>;

  beforeAll(async () => {
    const infos = [...(await metricsByRole()).values()].flat();
    const series = ({ name, type }: MetricInfo): string[] =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    known = new Set(["up", ...infos.flatMap(series)]);
    labels = new Set([...GIVEN_LABELS, ...infos.flatMap((info) => info.labels)]);
  });

  const expressions = [
    ...alerts.map(({ alert, expr }) => [alert, expr.replaceAll(/\s+/g, " ").trim()] as const),
    ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ];

  it.each(expressions)("%s: %s is measured", (_title, expr) => {
    const names = namesIn(expr);
    expect(names.metrics.length).toBeGreaterThan(0);
    expect(names.metrics.filter((name) => !known.has(name))).toEqual([]);
    expect(names.labels.filter((name) => !labels.has(name))).toEqual([]);
    for (const [open, close] of ["()", "[]", "{}"]) {
      expect(expr.split(open ?? "")).toHaveLength(expr.split(close ?? "").length);
    }
  });

  it("would notice a metric that is not there", () => {
    const { metrics } = namesIn('sum by (le) (rate(parley_nonsense_total{type=~"a|b"}[5m])) > 1');
    expect(metrics).toEqual(["parley_nonsense_total"]);
    expect(known.has("parley_nonsense_total")).toBe(false);
  });
});

describe("alerts", () => {
  const runbook = read("docs/runbook.md");
  const sections = runbook
    .split(/^#{2,3} /m)
    .map((section) => [section.slice(0, section.indexOf("\n")), section] as const)
    .filter(([title]) => title.startsWith("Parley"));

  it.each(alerts)("$alert has a line in the run-book: symptom, cause, first step", ({ alert, annotations, labels }) => {
    expect(["warning", "critical"]).toContain(labels.severity);
    expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
    const body = sections.find(([title]) => title === alert)?.[1];
    for (const part of ["**Symptom:** ", "**Cause:** ", "**First:** "]) expect(body).toContain(part);
  });

  it("are found in the log by the texts that the run-book quotes", () => {
    const quoted = [...runbook.matchAll(/`([a-z][a-z', ]{20,})`/g)].map(([, text]) => text ?? "");
    expect(quoted.length).toBeGreaterThan(2);
    const files = globSync("{actors,bin,lib,services}/**/*.ts", { cwd: ROOT }).map(read);
    expect(quoted.filter((text) => !files.some((file) => file.includes(text)))).toEqual([]);
  });

  it("are all that the run-book has", () => {
    expect(sections.map(([title]) => title).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });
});

describe("Prometheus", () => {
  it("reads every role, tells it by a label, and knows the alerts", () => {
    const [job] = prometheus.scrape_configs;
    expect(job?.job_name).toBe("parley");
    expect(job?.dns_sd_configs[0]).toMatchObject({ names: Object.keys(ROLES), port: 3_000 });
    expect(job?.relabel_configs[0]?.target_label).toBe("role");
    expect(prometheus.rule_files).toEqual(["alerts.yml"]);
  });
});

describe("the dashboard", () => {
  it("reads the provisioned source", () => {
    const { datasources } = parse(read("monitoring/grafana/provisioning/datasources/prometheus.yml")) as {
      datasources: ReadonlyArray<{ uid: string }>;
    };
    for (const { type, datasource } of dashboard.panels) {
      if (type !== "row") expect(datasource?.uid).toBe(datasources[0]?.uid);
    }
  });

  it("shows what alerts are about", () => {
    const shown = new Set(
      dashboard.panels.flatMap(({ targets = [] }) => targets).flatMap((one) => namesIn(one.expr).metrics),
    );
    const asked = new Set(alerts.flatMap(({ expr }) => namesIn(expr).metrics));
    expect([...asked].filter((name) => !shown.has(name))).toEqual([]);
  });

  it("has panels of their own ids, that do not lie on each other", () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});
