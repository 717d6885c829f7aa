import type { Static } from "@sinclair/typebox";
import { callerOf } from "../../lib/call";
import type { Standing } from "../auth/standing-cache";
import type { User } from "../schemas";

type UserAnswer = Static<typeof User>;

/** Actions of the users service that only other services call. */
export type UsersInternal = {
  /** Which of these ids are no user. */
  "users.exist": { params: { ids: readonly string[] }; result: { missing: string[] } };
  /** One user; null when unknown or deleted. */
  "users.get": { params: { id: string }; result: UserAnswer | null };
  /** What a user may do now; null when unknown or deleted. */
  "users.principal": { params: { id: string }; result: Standing | null };
  /** What a password is verified against; null when no account has the address. */
  "users.credentials": { params: { email: string }; result: { id: string; passwordHash?: string } | null };
  /** Makes a customer: a guest without e-mail and password. Answers EMAIL_TAKEN when it is. */
  "users.create": { params: { name: string; email?: string; passwordHash?: string }; result: UserAnswer };
  /** Makes those of these users that there are not, as guests whom nobody can log in as. At most 100. */
  "users.ensure": { params: { users: ReadonlyArray<{ id: string; name: string }> }; result: null };
  /** Users whose id, e-mail or name begins with the query; newest first. For operators. */
  "users.search": { params: { query?: string; limit: number }; result: { users: UserAnswer[] } };
  /** Deletes a user softly and ends all logins; false when there was no such user. */
  "users.delete": { params: { id: string }; result: { deleted: boolean } };
};

/** Calls an internal action of the users service. */
export const callUsers = callerOf<UsersInternal>();
