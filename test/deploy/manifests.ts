import { parseAllDocuments } from "yaml";
import { kustomize, outcomeOf } from "./tools";

/** The parts of Kubernetes' objects that the assertions read. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels; readonly annotations?: Labels };
  readonly spec: Spec;
  readonly data?: Readonly<Record<string, string>>;
}

export type Labels = Readonly<Record<string, string>>;

interface Spec {
  readonly replicas?: number;
  readonly selector?: Selector;
  readonly strategy?: { readonly rollingUpdate?: { readonly maxUnavailable?: unknown } };
  readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: Pod };
  readonly podSelector?: Selector;
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
  readonly ports?: ReadonlyArray<{ readonly name: string; readonly port: number; readonly targetPort: unknown }>;
  readonly rules?: ReadonlyArray<{ readonly host: string; readonly http: { readonly paths: readonly Path[] } }>;
  readonly scaleTargetRef?: { readonly name: string };
  readonly minReplicas?: number;
  readonly maxReplicas?: number;
  readonly behavior?: { readonly scaleDown?: { readonly stabilizationWindowSeconds?: number } };
}

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: ReadonlyArray<{ key: string; operator: string; values: readonly string[] }>;
}

interface Rule {
  readonly ports?: ReadonlyArray<{ readonly port: number }>;
  readonly from?: ReadonlyArray<{ readonly namespaceSelector?: Selector; readonly podSelector?: Selector }>;
  readonly to?: ReadonlyArray<{ readonly podSelector?: Selector }>;
}

export interface Path {
  readonly path: string;
  readonly pathType: string;
  readonly backend: { readonly service: { readonly name: string; readonly port: { readonly name: string } } };
}

export interface Pod {
  readonly terminationGracePeriodSeconds?: number;
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: { readonly runAsNonRoot?: boolean; readonly seccompProfile?: { readonly type: string } };
  readonly topologySpreadConstraints?: ReadonlyArray<{
    readonly topologyKey: string;
    readonly labelSelector: Selector;
  }>;
  readonly containers: readonly Container[];
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: unknown };
}

export interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly env?: ReadonlyArray<{ name: string; value?: string; valueFrom?: { secretKeyRef?: object } }>;
  readonly ports?: ReadonlyArray<{ readonly name: string; readonly containerPort: number }>;
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  readonly resources?: { readonly requests?: Labels; readonly limits?: Labels };
  readonly securityContext?: {
    readonly readOnlyRootFilesystem?: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly capabilities?: { readonly drop?: readonly string[] };
  };
}

/** An overlay as it would be applied. */
export class Overlay {
  readonly all: readonly Manifest[];

  constructor(readonly text: string) {
    this.all = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  }

  of(kind: string): readonly Manifest[] {
    return this.all.filter((manifest) => manifest.kind === kind);
  }

  /** @throws Error when there is none */
  get(kind: string, name: string): Manifest {
    const found = this.of(kind).find(({ metadata }) => metadata.name === name);
    if (!found) throw new Error(`there is no ${kind} ${name}`);
    return found;
  }
}

/** Builds `k8s/overlays/<name>`. */
export async function overlay(name: string): Promise<Overlay> {
  const { program, args } = await kustomize();
  const { ok, text } = await outcomeOf(program, [...args, `k8s/overlays/${name}`]);
  if (!ok) throw new Error(text);
  return new Overlay(text);
}

/** Whether a pod with these labels is meant. */
export function selects(selector: Selector | undefined, labels: Labels): boolean {
  const wanted = Object.entries(selector?.matchLabels ?? {});
  if (wanted.some(([key, value]) => labels[key] !== value)) return false;
  return (selector?.matchExpressions ?? []).every(({ key, operator, values }) => {
    if (operator !== "In") throw new Error(`operator ${operator} is not understood here`);
    return values.includes(labels[key] ?? "");
  });
}
