import { type Store } from "../../lib/store/collection";
import { Authenticator } from "../../services/auth/authenticator";
import type { Principal } from "../../services/auth/principal";
import { RevocationLedger } from "../../services/auth/revocation-ledger";
import { callUsers } from "../../services/users/users.internal";
import type { Life } from "./life";
import type { Link } from "./link";
import { KEYS } from "./logins";
import type { SimBroker } from "./sim-broker";

const READ_MS = 1_500;
const RETRY_MS = 500;
const TOKEN_SECONDS = 900;

export interface DoorOptions {
  readonly life: Life;
  readonly store: Store;
  readonly broker: () => SimBroker;
  /** Somebody is let act. */
  readonly onAct: (user: Principal) => void;
}

/** Who is let in and who may act: the product's own `Authenticator`, asked as handshake and dispatcher ask it. */
export class Door {
  readonly authenticator: Authenticator;
  private readonly users = new Map<Link, Principal>();

  constructor(private readonly options: DoorOptions) {
    const { life, store, broker } = options;
    const ledger = new RevocationLedger(store);
    this.authenticator = new Authenticator({
      clock: life,
      monotonic: () => life.world.now,
      loadKeys: () => Promise.resolve(KEYS),
      readStanding: (id) => callUsers(broker(), "users.principal", { id }, { timeout: READ_MS }),
      fetchRevocations: (after, since) => ledger.page(after, since),
      lastRevocation: () => ledger.last(),
      accessTokenSeconds: TOKEN_SECONDS,
    });
    this.authenticator.onRevoked(({ userId, family }) => {
      for (const [link, user] of this.users)
        if (user.id === userId && (family === undefined || user.family === family)) link.break();
    });
    this.authenticator.onUserChanged((userId, roles) => {
      for (const [link, user] of this.users) if (user.id === userId && roles) this.users.set(link, { ...user, roles });
    });
  }

  /** Resolves when the list of revocations is known. */
  async open(): Promise<void> {
    for (;;) {
      try {
        return await this.authenticator.start();
      } catch {
        await this.options.life.pauseFor(RETRY_MS);
      }
    }
  }

  /** Lets a connection in. @throws when its login is over, or nobody can tell */
  async admit(link: Link): Promise<void> {
    let { user } = await this.authenticator.identify(link.token);
    while (!this.authenticator.isCurrent(user)) ({ user } = await this.authenticator.identify(link.token));
    this.users.set(link, user);
  }

  leave(link: Link): void {
    this.users.delete(link);
  }

  /** May this connection act now? One whose login is over is cut. */
  async lets(link: Link): Promise<boolean> {
    const { authenticator } = this;
    if (!authenticator.isFresh && !(await authenticator.whenFresh())) return false;
    const user = this.users.get(link);
    if (!user || !link.up) return false;
    if (authenticator.isRevoked(user)) {
      link.break();
      return false;
    }
    this.options.onAct(user);
    return true;
  }
}
