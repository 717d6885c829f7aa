import { agents } from "./agents";
import { assign } from "./assign";
import { audit } from "./audit";
import { toCustomCommand } from "./command";
import { conversation } from "./conversation";
import { drain } from "./drain";
import { explain } from "./explain";
import { helpOf } from "./help";
import { homes } from "./homes";
import { jobs } from "./jobs";
import { kick } from "./kick";
import { move } from "./move";
import { nodes } from "./nodes";
import { queue } from "./queue";
import { sessions } from "./sessions";
import { topics } from "./topics";
import { users } from "./users";
import { who } from "./who";

const own = [
  nodes,
  sessions,
  queue,
  explain,
  agents,
  assign,
  conversation,
  homes,
  move,
  topics,
  users,
  who,
  audit,
  jobs,
  kick,
  drain,
].map(toCustomCommand);

/** The operator's commands, for `broker.repl({ customCommands: commands })`. */
export const commands = [...own, helpOf(own)];
