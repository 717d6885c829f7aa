import { createSecretKey } from "node:crypto";
import { KeyRing } from "../../services/auth/keys";
import type { Principal } from "../../services/auth/principal";
import { FRESH_MS } from "../../services/auth/revocations";
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
  /** When that was acknowledged. */
  endedAt: number;
}

interface Change {
  readonly roles: string;
  readonly number: number;
  readonly at: number;
}

/**
 * Logins that are made and ended, roles that are given and taken, and who acted under which.
 *
 * D  a second after the end of a login, or of roles, was acknowledged, no node lets anybody act under it
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

  /** A node lets this user act. */
  acted({ id, family, roles }: Principal): void {
    const { now } = this.world;
    const login = this.logins.get(family);
    if (!login || now > login.endedAt + FRESH_MS) this.oracle.fail("D", `${id} acted by ${family}, which had ended`);
    const changes = this.changes.get(id) ?? [];
    const known = changes.filter(({ at }) => now > at + FRESH_MS).at(-1);
    if (!known || known.roles === String(roles)) return;
    // What is not acknowledged, or was a moment ago, may be known.
    if (changes.some(({ number, roles: later }) => number > known.number && later === String(roles))) return;
    this.oracle.fail("D", `${id} acted as ${String(roles)}, and is ${known.roles}`);
  }

  private async end(io: IoNode, family: string): Promise<void> {
    const login = this.logins.get(family);
    if (!login) return;
    login.ending = true;
    this.world.trace("end", family);
    try {
      await io.broker.call("auth.end", { userId: login.userId, family });
      this.world.trace("ended", family);
      login.endedAt = Math.min(login.endedAt, this.world.now);
    } catch {
      // Perhaps it ended: nothing is promised.
    }
  }

  private async setRoles(io: IoNode, userId: string, roles: readonly Role[]): Promise<void> {
    const changes = this.changes.get(userId) ?? [];
    this.changes.set(userId, changes);
    this.world.trace("roles", userId, String(roles));
    // Until its number is known it may be any later one.
    const pending = { roles: String(roles), number: Infinity, at: Infinity };
    changes.push(pending);
    try {
      const { number } = (await io.broker.call("auth.setRoles", { userId, roles })) as { number: number };
      changes.splice(changes.indexOf(pending), 1, { ...pending, number, at: this.world.now });
      changes.sort((a, b) => a.number - b.number);
    } catch {
      // Perhaps they are given, now or later.
    }
  }
}
