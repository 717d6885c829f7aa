import { toCustomCommand } from "./command";
import { conversation } from "./conversation";
import { drain } from "./drain";
import { sessions } from "./sessions";
import { users } from "./users";
import { who } from "./who";

/** The operator's commands, for `broker.repl({ customCommands: commands })`. */
export const commands = [sessions, conversation, users, who, drain].map(toCustomCommand);
