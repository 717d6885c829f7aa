import { createSecretKey } from "node:crypto";
import { KeyRing } from "../../services/auth/keys";
import type { Principal } from "../../services/auth/principal";
import { FRESH_MS, type Revocation } from "../../services/auth/revocations";
import { AccessTokens } from "../../services/auth/tokens";
import type { Role } from "../../services/schemas";
import type { Client } from "./client";
import type { IoNode } from "./io-node";
import { EPOCH } from "./life";
import type { Oracle } from "./oracle";
import type { World } from "./world";

/** The keys of all nodes. */
export const KEYS = new KeyRing([{ kid: "sim", secret: createSecretKey(Buffer.alloc(32, 1)) }]);
/** What everybody may until somebody says otherwise. */
export const FIRST_ROLES: readonly Role[] = ["customer"];
const OTHER_ROLES: ReadonlyArray<readonly Role[]> = [["customer"], ["agent"], ["agent", "supervisor"]];
const TOKEN_SECONDS = 900;

interface Login {
  readonly userId: string;
  readonly token: string;
  /** Somebody asked to end it. */
  ending: boolean;
  /** When its end became durable. */
  endedAt: number;
}

interface Change {
  readonly roles: string;
  /** When it became durable. */
  readonly at: number;
}

/**
 * Logins that are made and ended, roles that are given and taken, and who acted under which.
 *
 * D  a second after the end of a login, or of roles, is durable, no node lets anybody act under it
 */
export class Logins {
  private readonly logins = new Map<string, Login>();
  private readonly current = new Map<string, string>();
  private readonly changes = new Map<string, Change[]>();
  private readonly tokens: AccessTokens;
  private drawn = 0;

  constructor(
    private readonly world: World,
    private readonly oracle: Oracle,
    private readonly pickIo: () => IoNode | undefined,
  ) {
    this.tokens = new AccessTokens(KEYS, { now: () => Math.floor(EPOCH + world.now) });
  }

  /** The access token with which a client connects; a new login when the last one ended. */
  tokenOf(client: Pick<Client, "name" | "userId">): string {
    const known = this.logins.get(this.current.get(client.name) ?? "");
    if (known && !known.ending) return known.token;
    const { userId, name } = client;
    const family = `family${++this.drawn}`;
    const token = this.tokens.issue({ userId, family }, TOKEN_SECONDS);
    this.logins.set(family, { userId, token, ending: false, endedAt: Infinity });
    this.current.set(name, family);
    return token;
  }

  /** Ends this client's login, or gives its user other roles. */
  act(client: Client): void {
    const io = this.pickIo();
    const family = this.current.get(client.name);
    if (!io || family === undefined) return;
    if (this.world.random.chance(0.5)) void this.end(io, family);
    else void this.setRoles(io, client.userId, this.world.random.pick(OTHER_ROLES));
  }

  /** Entries of the list of revocations became durable. */
  committed(entries: readonly Revocation[]): void {
    const at = this.world.now;
    for (const { userId, family, roles } of entries) {
      const login = this.logins.get(family ?? "");
      if (login) login.endedAt = at;
      if (roles) this.changes.set(userId, [...(this.changes.get(userId) ?? []), { roles: String(roles), at }]);
    }
  }

  /** A node lets this user act. */
  acted({ id, family, roles }: Principal): void {
    const since = this.world.now - FRESH_MS;
    const login = this.logins.get(family);
    if (!login || login.endedAt < since) this.oracle.fail("D", `${id} acted by ${family}, which had ended`);
    const changes = [{ roles: String(FIRST_ROLES), at: -Infinity }, ...(this.changes.get(id) ?? [])];
    // The last that everybody has to know, and whatever came later.
    const known = changes.findLastIndex(({ at }) => at < since);
    if (changes.slice(known).some((change) => change.roles === String(roles))) return;
    this.oracle.fail("D", `${id} acted as ${String(roles)}, and is ${changes[known]?.roles ?? ""}`);
  }

  private async end(io: IoNode, family: string): Promise<void> {
    const login = this.logins.get(family);
    if (!login) return;
    login.ending = true;
    this.world.trace("end", family);
    await io.broker.call("auth.end", { userId: login.userId, family }).catch(() => undefined);
  }

  private async setRoles(io: IoNode, userId: string, roles: readonly Role[]): Promise<void> {
    this.world.trace("roles", userId, String(roles));
    await io.broker.call("auth.setRoles", { userId, roles }).catch(() => undefined);
  }
}
