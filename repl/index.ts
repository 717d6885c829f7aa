import { toCustomCommand } from "./command";
import { conversation } from "./conversation";
import { drain } from "./drain";
import { homes } from "./homes";
import { kick } from "./kick";
import { move } from "./move";
import { nodes } from "./nodes";
import { sessions } from "./sessions";
import { users } from "./users";
import { who } from "./who";

/** The operator's commands, for `broker.repl({ customCommands: commands })`. */
export const commands = [nodes, sessions, conversation, homes, move, users, who, kick, drain].map(toCustomCommand);
