import type { ServerApi } from "../test/support/api";
import type { Workload } from "./workloads";

const CREATIONS_AT_ONCE = 16;

/** Makes the conversations of a workload over REST; answers their ids in the order of its rooms. */
export async function makeConversations(
  server: ServerApi,
  workload: Workload,
  users: ReadonlyArray<{ id: string; token: string }>,
): Promise<string[]> {
  const make = async (members: readonly number[]): Promise<string> => {
    const [first, ...others] = members.map((index) => users[index]);
    const kind = members.length === 2 ? "direct" : "group";
    const body = { commandId: crypto.randomUUID(), kind, members: others.map((user) => user?.id) };
    return (await server.rest("POST", "/conversations", first?.token, body)).expect<{ id: string }>(201).id;
  };
  const ids: string[] = [];
  for (let from = 0; from < workload.rooms.length; from += CREATIONS_AT_ONCE) {
    const slice = workload.rooms.slice(from, from + CREATIONS_AT_ONCE);
    ids.push(...(await Promise.all(slice.map(({ members }) => make(members)))));
  }
  return ids;
}
