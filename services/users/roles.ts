import { ParleyError } from "../../lib/errors";
import type { RoleChange } from "../auth/revocations";
import type { RevocationLedger } from "../auth/revocation-ledger";
import type { Role } from "../schemas";
import type { UserDocument, UserStore } from "./users.store";

export interface RoleChangesPorts {
  readonly users: Pick<UserStore, "hasAdministrator" | "setRoles" | "get">;
  readonly list: Pick<RevocationLedger, "last" | "addRoles" | "roleChanges">;
  readonly now: () => number;
}

/**
 * Changes of roles, in one order for all nodes: each is an entry of the numbered list of revocations, and an entry is
 * added only while the list still ends where its author looked. So of two administrators who take the role from each
 * other at once, one is refused, wherever they are. The users' documents follow the entries.
 */
export class RoleChanges {
  /** Every change up to this number is in the users' documents. */
  #applied = 0;

  constructor(private readonly ports: RoleChangesPorts) {}

  /**
   * Replaces the roles of a user. The answered change is durable.
   * @throws ParleyError NOT_FOUND; FORBIDDEN when nobody would be an administrator afterwards
   */
  async replace(id: string, roles: readonly Role[]): Promise<{ user: UserDocument; change: RoleChange }> {
    const { users, list, now } = this.ports;
    for (;;) {
      const last = await list.last();
      await this.applyAll();
      const user = await users.get(id);
      if (!user) throw new ParleyError("NOT_FOUND");
      if (!roles.includes("admin") && !(await users.hasAdministrator(id))) throw new ParleyError("FORBIDDEN");
      const change = await list.addRoles(last, { userId: id, roles }, now());
      if (!change) continue;
      return { user: (await users.setRoles(id, roles, change.number)) ?? { ...user, roles }, change };
    }
  }

  /** Brings the users' documents up to the list: a node may have ended between an entry and its document. */
  async applyAll(): Promise<void> {
    for (const { number, userId, roles } of await this.ports.list.roleChanges(this.#applied)) {
      await this.ports.users.setRoles(userId, roles, number);
      this.#applied = Math.max(this.#applied, number);
    }
  }
}
