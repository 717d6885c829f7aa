import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import { resourcesOf } from "../lib/resources";
import { callAuth } from "../services/auth/auth.internal";
import { Authenticator } from "../services/auth/authenticator";
import { loadKeys } from "../services/auth/keys";
import type { BrokerEvents } from "../services/events";
import { callUsers } from "../services/users/users.internal";

/** What a service has from the mixin. */
export interface Authenticating {
  authenticator: Authenticator;
}

const schema: Partial<ServiceSchema<ServiceSettingSchema, object, Authenticating>> = {
  dependencies: ["auth", "users"],
  events: {
    "auth.revoked"(ctx: Context<BrokerEvents["auth.revoked"]>) {
      this.authenticator.handleRevoked(ctx.params);
    },
    "users.changed"(ctx: Context<BrokerEvents["users.changed"]>) {
      this.authenticator.handleUserChanged(ctx.params.userId);
    },
  },
  created() {
    const { config, clock } = resourcesOf(this.broker);
    this.authenticator = new Authenticator({
      clock,
      loadKeys: () => loadKeys({ keys: config.AUTH_KEYS, folder: config.DATA_DIR }),
      readStanding: (id) => callUsers(this.broker, "users.principal", { id }),
      fetchRevocations: (after, since) => callAuth(this.broker, "auth.revocations", { after, since }),
      accessTokenSeconds: config.ACCESS_TOKEN_SECONDS,
    });
  },
  async started() {
    await this.authenticator.start();
  },
  stopped() {
    this.authenticator.stop();
  },
};

/**
 * For services that let the outside in (`gateway`, `io`): `this.authenticator` from `created()` on, ready when the
 * service has started, fed by the events that revoke logins and change users.
 */
export const authenticationMixin = schema as Partial<ServiceSchema>;
