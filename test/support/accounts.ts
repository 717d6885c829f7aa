import type { ServiceBroker } from "moleculer";
import type { Principal } from "../../services/auth/principal";
import { call } from "../../services/call";
import type { Role } from "../../services/schemas";

/** The first administrator of a node in this process. */
export const ADMIN_ENV = { ADMIN_EMAIL: "root@example.org", ADMIN_PASSWORD: "administrator" };

/** In whose name a test calls what is for administrators only. */
export const ADMINISTRATOR: Principal = { id: "admin", roles: ["admin"], guest: false, family: "test" };

export interface Login {
  readonly id: string;
  readonly token: string;
  readonly refreshToken: string;
}

/** Signs somebody up at a node of this process; with roles other than customer they are given by the administrator. */
export async function signUp(broker: ServiceBroker, ...roles: Role[]): Promise<Login> {
  const email = `${crypto.randomUUID()}@example.org`;
  const pair = await call(broker, "auth.signup", { email, password: "correct horse", name: "Somebody" });
  if (roles.length > 0) await setRoles(broker, pair.user.id, ...roles);
  return { id: pair.user.id, token: pair.accessToken, refreshToken: pair.refreshToken };
}

export async function setRoles(broker: ServiceBroker, id: string, ...roles: Role[]): Promise<void> {
  await call(broker, "users.setRoles", { id, roles }, { meta: { user: ADMINISTRATOR } });
}
