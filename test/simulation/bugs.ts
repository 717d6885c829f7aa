import { CLUSTER_BUGS } from "./bugs/cluster";
import { HEART_BUGS } from "./bugs/heart";
import type { Bug } from "./bugs/plant";

/** Bugs that a simulation worth its name must find. */
export const BUGS: readonly Bug[] = [...HEART_BUGS, ...CLUSTER_BUGS];
