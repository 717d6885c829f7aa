import type { Caller } from "../../lib/call";
import { callUsers } from "./users.internal";

/** The names of users; those that are unknown or deleted are left out. */
export async function namesOf(caller: Caller, userIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const users = await Promise.all(userIds.map((id) => callUsers(caller, "users.get", { id })));
  return new Map(users.flatMap((user) => (user ? [[user.id, user.name] as const] : [])));
}
