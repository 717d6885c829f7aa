import type { RoomPlan } from "./generator/ledger";
import type { StepResult } from "./generator/load";

/** Connections in every workload. */
export const CONNECTIONS = 1_000;

/** A workload: who talks with whom, and when a rate counts as held. */
export interface Workload {
  readonly id: string;
  readonly title: string;
  /** What the headline figure counts. */
  readonly unit: "sends/s" | "deliveries/s";
  /** Rooms as index lists into the connections; the ids come from the system under test. */
  readonly rooms: ReadonlyArray<Omit<RoomPlan, "conversationId">>;
  /** A rate in messages/s from which the search starts. */
  readonly guess: number;
  readonly ackMs: number;
  readonly deliveryMs: number;
}

const roomsOf = (size: number) =>
  Array.from({ length: CONNECTIONS / size }, (_, room) => ({
    members: Array.from({ length: size }, (_, member) => room * size + member),
  }));

const QUIET_RATE = 20;

export const WORKLOADS: readonly Workload[] = [
  {
    id: "W1",
    title: "W1: 500 conversations of 2",
    unit: "sends/s",
    rooms: roomsOf(2),
    guess: 3_000,
    ackMs: 50,
    deliveryMs: 100,
  },
  {
    id: "W2",
    title: "W2: 100 rooms of 10",
    unit: "deliveries/s",
    rooms: roomsOf(10),
    guess: 2_000,
    ackMs: 250,
    deliveryMs: 250,
  },
  {
    id: "W2",
    title: "W2: 10 rooms of 100",
    unit: "deliveries/s",
    rooms: roomsOf(100),
    guess: 400,
    ackMs: 250,
    deliveryMs: 250,
  },
  {
    id: "W8",
    title: "W8: one hot conversation of 10, a quiet one beside it",
    unit: "sends/s",
    rooms: [
      { members: Array.from({ length: 10 }, (_, member) => member) },
      { members: [10, 11], fixedRate: QUIET_RATE },
    ],
    guess: 2_000,
    ackMs: 50,
    deliveryMs: 100,
  },
];

/** Did the server hold this rate: nothing lost, refused, doubled or out of order, and in time? */
export const held = (workload: Workload, step: StepResult): boolean =>
  step.lost === 0 &&
  step.refused === 0 &&
  step.disorder === 0 &&
  step.ack.p99 < workload.ackMs &&
  step.delivery.p99 < workload.deliveryMs;

/** The headline figure of a step. */
export const figure = (workload: Workload, step: StepResult): number =>
  workload.unit === "sends/s" ? step.ackRate : step.deliveryRate;
