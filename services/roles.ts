import { engineSid } from "../lib/front-door/affinity";
import type { Route } from "../lib/front-door/front-door";

/** The kinds of processes of a cluster, and what each of them runs (its `SERVICES`). */
export const ROLES = {
  gateway: ["gateway"],
  io: ["io"],
  core: [
    "auth",
    "users",
    "message",
    "session",
    "room",
    "presence",
    "agents",
    "replies",
    "bulk",
    "topics",
    "audit",
    "supervision",
    "statistics",
  ],
  scheduler: ["scheduler"],
} as const;

export type NodeRole = keyof typeof ROLES;
export const NODE_ROLES = Object.keys(ROLES) as NodeRole[];

/** A poll is held for the ping interval of Socket.IO, 25 s. */
const POLL_SILENCE_MS = 60_000;

/** Which role serves which paths: sockets are served by io nodes, everything else by gateways. */
export const routesOf = (requestTimeoutMs: number): readonly Route[] => [
  { prefix: "/socket.io/", group: "io", silenceMs: POLL_SILENCE_MS, affinity: engineSid },
  { prefix: "/", group: "gateway", silenceMs: requestTimeoutMs + 5_000 },
];

export const isNodeRole = (name: string): name is NodeRole => Object.hasOwn(ROLES, name);
