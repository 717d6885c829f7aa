import type { ServiceBroker } from "moleculer";
import { callNode, conditionOf, type KnownNode, knownNodes, type NodeState } from "../node-service";
import { type Check, fail, type Finding, ok, warn } from "./finding";
import { keyAgreement, type KeyHolder } from "./key-agreement";

/** A service that somebody must run, or the cluster does not serve. */
export interface Needed {
  readonly service: string;
  /** What is lost without it. */
  readonly without: string;
  readonly level: "warn" | "fail";
}

export interface NodesCheckOptions {
  /** Joins the cluster. */
  join(): Promise<ServiceBroker>;
  readonly needed: readonly Needed[];
  /** Fingerprints of AUTH_KEYS as it is set here. */
  readonly keys?: readonly string[];
}

interface Answer {
  readonly id: string;
  readonly state?: NodeState;
  /** Milliseconds that its clock is ahead of ours, at most half of `roundTripMs` off. */
  readonly aheadMs: number;
  readonly roundTripMs: number;
}

const ANSWER_MS = 3_000;
/** Tokens and time stamps differ by as much as clocks do. */
const SKEW = { warnMs: 1_000, failMs: 10_000 };

/** Which nodes are there, how they are, what nobody runs, whether their keys agree, and how far their clocks are apart. */
export const nodesCheck = ({ join, needed, keys }: NodesCheckOptions): Check => ({
  name: "nodes",
  async run() {
    let broker: ServiceBroker;
    try {
      broker = await join();
    } catch (error) {
      return [fail((error as Error).message, "Start the nodes, or correct NAMESPACE and NATS_URL.")];
    }
    try {
      // Who only looks, as this one does, has no such service.
      const nodes = (await knownNodes(broker)).filter(({ services }) => services.includes("node"));
      const answers = await Promise.all(nodes.map(({ id }) => ask(broker, id)));
      const agreement = keyAgreement(answers.flatMap(holderOf), keys);
      return [...answers.map(condition), ...missing(nodes, needed), ...agreement, clocks(answers)];
    } finally {
      await broker.stop();
    }
  },
});

async function ask(broker: ServiceBroker, id: string): Promise<Answer> {
  const sent = Date.now();
  const state = await callNode(broker, "node.state", {}, { nodeID: id, timeout: ANSWER_MS }).catch(() => undefined);
  const got = Date.now();
  return { id, ...(state && { state }), aheadMs: state ? state.now - (sent + got) / 2 : 0, roundTripMs: got - sent };
}

const holderOf = ({ id, state }: Answer): KeyHolder[] => (state?.keys ? [{ id, keys: state.keys }] : []);

function condition({ id, state }: Answer): Finding {
  if (!state) return fail(`${id} does not answer`, "See whether its process hangs or is stopped; restart it.");
  const { phase, down } = conditionOf(state);
  if (state.ready && down.length === 0) return ok(`${id} is ready`);
  if (phase !== "ready") return warn(`${id} is ${phase}`, "It takes no work until it is restarted or has started.");
  const text = `${id} does not reach: ${down.join(", ")}`;
  const advice = "See the network between that node and it.";
  return state.ready ? warn(text, advice) : fail(text, advice);
}

function missing(nodes: readonly KnownNode[], needed: readonly Needed[]): Finding[] {
  const run = new Set(nodes.flatMap(({ services }) => services));
  return needed
    .filter(({ service }) => !run.has(service))
    .map(({ service, without, level }) => ({
      level,
      text: `nobody runs ${service}: ${without}`,
      advice: "Start a node that does.",
    }));
}

function clocks(answers: readonly Answer[]): Finding {
  const known = answers.filter(({ state }) => state).sort((a, b) => a.aheadMs - b.aheadMs);
  const [slowest, fastest] = [known[0], known.at(-1)];
  if (!slowest || !fastest || slowest === fastest) return ok("one clock: nothing to compare");
  // What the round trips leave open is not held against the clocks.
  const open = (slowest.roundTripMs + fastest.roundTripMs) / 2;
  const skew = Math.max(0, Math.round(fastest.aheadMs - slowest.aheadMs - open));
  if (skew < SKEW.warnMs) return ok(`the clocks of ${known.length} nodes agree within ${Math.max(1, skew)} ms`);
  const text = `the clock of ${fastest.id} is ${skew} ms ahead of that of ${slowest.id}`;
  const advice = "Run NTP on every machine.";
  return skew < SKEW.failMs ? warn(text, advice) : fail(text, advice);
}
