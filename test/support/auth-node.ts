import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { type BrokerOptions, Loggers, type Service, ServiceBroker } from "moleculer";
import type { Clock } from "../../lib/actor/ports";
import { systemClock, systemMonotonic, systemRandom } from "../../lib/actor/system";
import { readConfig } from "../../lib/config";
import { MemoryKv } from "../../lib/kv/memory";
import { provideResources } from "../../lib/resources";
import { MemoryStore } from "../../lib/store/memory";
import { type Authenticating, authenticationMixin } from "../../mixins/authentication.mixin";
import AuthService from "../../services/auth/auth.service";
import type { Authenticator } from "../../services/auth/authenticator";
import type { Principal } from "../../services/auth/principal";
import { call } from "../../services/call";
import UsersService from "../../services/users/users.service";

export const ADMIN = { email: "root@example.org", password: "administrator" };

/** A node with auth, users and one service that authenticates, over a store in memory. */
export interface AuthNode {
  readonly broker: ServiceBroker;
  readonly store: MemoryStore;
  readonly folder: string;
  readonly authenticator: Authenticator;
  /** Calls as this user. */
  as(user: Principal): { meta: { user: Principal } };
  /** Logs the administrator in. */
  administrator(): Promise<Principal>;
  stop(): Promise<void>;
}

export interface AuthNodeOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** Gets every log line, of all levels. */
  readonly log?: (line: string) => void;
}

/** Starts one; tests stop it. Limits are high and the administrator is `ADMIN` unless `env` says otherwise. */
export async function startAuthNode({ env = {}, clock = systemClock, log }: AuthNodeOptions = {}): Promise<AuthNode> {
  const folder = await mkdtemp(join(tmpdir(), "parley-auth-"));
  const config = readConfig({
    DATA_DIR: folder,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    LIMIT_LOGINS_PER_MINUTE: "100000",
    LIMIT_SIGNUPS_PER_MINUTE: "100000",
    LIMIT_GUESTS_PER_MINUTE: "100000",
    ...env,
  });
  const store = new MemoryStore();
  const kv = new MemoryKv({ clock });
  const broker = new ServiceBroker({ ...logging(log), contextParamsCloning: true, dependencyInterval: 10 });
  provideResources(broker, { config, store, kv, clock, monotonic: systemMonotonic, random: systemRandom, sole: true });
  broker.createService(UsersService);
  broker.createService(AuthService);
  const door = broker.createService({ name: "io", mixins: [authenticationMixin] }) as Service & Authenticating;
  await broker.start();
  return {
    broker,
    store,
    folder,
    authenticator: door.authenticator,
    as: (user) => ({ meta: { user } }),
    administrator: async () => {
      const { accessToken } = await call(broker, "auth.login", ADMIN);
      return door.authenticator.authenticate(accessToken);
    },
    stop: async () => {
      await broker.stop();
      await kv.close();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Moleculer's lines of every level to a function, or no logger. */
function logging(log: AuthNodeOptions["log"]): BrokerOptions {
  return log ? { logger: new Sink(log) } : { logger: false };
}

class Sink extends Loggers.Base<object> {
  constructor(private readonly write: (line: string) => void) {
    super();
  }

  override getLogHandler() {
    return (_level: string, parts: unknown[]): void =>
      this.write(parts.map((part) => inspect(part, { depth: 10 })).join(" "));
  }
}
