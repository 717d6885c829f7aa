import { createRequire } from "node:module";
import { isNodeRole, NODE_ROLES, ROLES } from "../services/roles";

/** Starts one process of a cluster: `npm run start:node -- io`, or with the services in SERVICES. */
const [, , first] = process.argv;
const [role] = first?.startsWith("-") === true ? [] : process.argv.splice(2, 1);
if (role !== undefined && !isNodeRole(role)) {
  process.stderr.write(`There is no kind "${role}"; there are ${NODE_ROLES.join(", ")}.\n`);
  process.exit(1);
}
if (role !== undefined) process.env["SERVICES"] = ROLES[role].join(",");
// Not before the services are set; and import() of a file of ours finds compiled files only.
createRequire(__filename)("./parley");
