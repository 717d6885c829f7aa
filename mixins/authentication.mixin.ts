import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import { Patience } from "../lib/patience";
import { resourcesOf } from "../lib/resources";
import { vitalsOf } from "../lib/vitals";
import { Authenticator } from "../services/auth/authenticator";
import { loadKeys } from "../services/auth/keys";
import { RevocationLedger } from "../services/auth/revocation-ledger";
import type { BrokerEvents } from "../services/events";
import { callUsers } from "../services/users/users.internal";

/** What reading a user may answer. */
const READ = { errors: [] };

/** What a service has from the mixin. */
export interface Authenticating {
  authenticator: Authenticator;
  /** How long callers from outside wait. */
  patience: Patience;
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
  actions: {
    /** Answers when this node knows every revocation up to `number` and acts on it. */
    async knows(ctx: Context<{ number: number }>) {
      await this.authenticator.knows(ctx.params.number);
      return null;
    },
  },
  created() {
    const { config, clock, monotonic, store, sole } = resourcesOf(this.broker);
    this.patience = new Patience({ clock, vitals: vitalsOf(this.broker), endless: sole });
    const revocations = new RevocationLedger(store);
    this.authenticator = new Authenticator({
      clock,
      monotonic,
      loadKeys: () => loadKeys({ keys: config.AUTH_KEYS, folder: config.DATA_DIR }),
      readStanding: (id) => this.patience.wait(callUsers(this.broker, "users.principal", { id }), READ),
      fetchRevocations: (after, since) => revocations.page(after, since),
      lastRevocation: sole ? undefined : () => revocations.last(),
      accessTokenSeconds: config.ACCESS_TOKEN_SECONDS,
    });
  },
  async started() {
    await this.authenticator.start();
  },
  stopped() {
    this.authenticator.stop();
    this.patience.stop();
  },
};

/**
 * For services that let the outside in (`gateway`, `io`): `this.authenticator` from `created()` on, ready when the
 * service has started, fed by the events that revoke logins and change users.
 */
export const authenticationMixin = schema as Partial<ServiceSchema>;
