import { ParleyError } from "../../lib/errors";
import type { Role } from "../schemas";
import type { UserDocument, UserStore } from "./users.store";

/**
 * Changes of roles, one after the other, so that two administrators who take the role from each other do not both
 * succeed. Should that happen on two nodes at once, the next start makes an administrator again.
 */
export class RoleChanges {
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly users: Pick<UserStore, "hasAdministrator" | "setRoles">) {}

  /**
   * Replaces the roles of a user.
   * @throws ParleyError NOT_FOUND; FORBIDDEN when nobody would be an administrator afterwards
   */
  replace(id: string, roles: readonly Role[]): Promise<UserDocument> {
    const change = this.#last.then(() => this.#replace(id, roles));
    this.#last = change.catch(() => undefined);
    return change;
  }

  async #replace(id: string, roles: readonly Role[]): Promise<UserDocument> {
    if (!roles.includes("admin") && !(await this.users.hasAdministrator(id))) throw new ParleyError("FORBIDDEN");
    const user = await this.users.setRoles(id, roles);
    if (!user) throw new ParleyError("NOT_FOUND");
    return user;
  }
}
