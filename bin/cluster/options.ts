import { parseArgs } from "node:util";
import { NODE_ROLES, type NodeRole } from "../../services/roles";

const MAX_PROCESSES = 32;
const DEFAULTS: Readonly<Record<NodeRole, number>> = { gateway: 1, io: 2, core: 2, scheduler: 1 };

export const USAGE = `npm run cluster -- [options]

  --gateway <n> --io <n> --core <n> --scheduler <n>
                 how many processes of each kind (1, 2, 2, 1)
  --no-restart   do not start a process again that ended by itself
`;

export interface ClusterOptions {
  readonly counts: Readonly<Record<NodeRole, number>>;
  readonly restart: boolean;
  readonly help: boolean;
}

/** Reads the command line. @throws Error saying what is wrong with it */
export function readOptions(args: readonly string[]): ClusterOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...(Object.fromEntries(NODE_ROLES.map((role) => [role, { type: "string" }])) as Record<
        NodeRole,
        { type: "string" }
      >),
      "no-restart": { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const counts = Object.fromEntries(NODE_ROLES.map((role) => [role, countOf(role, values[role])]));
  return {
    counts: counts as Record<NodeRole, number>,
    restart: values["no-restart"] !== true,
    help: values.help === true,
  };
}

function countOf(role: NodeRole, text: string | undefined): number {
  if (text === undefined) return DEFAULTS[role];
  const count = Number(text);
  // Nobody would be served without the first three.
  const least = role === "scheduler" ? 0 : 1;
  if (!Number.isInteger(count) || count < least || count > MAX_PROCESSES)
    throw new Error(`--${role}: read "${text}"; allowed is an integer from ${least} to ${MAX_PROCESSES}`);
  return count;
}
