import jwt, { type JwtPayload } from "jsonwebtoken";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../lib/actor/ports";
import { ParleyError } from "../../lib/errors";
import type { KeyRing } from "./keys";

const ISSUER = "parley";
const AUDIENCE = "parley:access";
/** RFC 9068: what kind of JWT this is, so that no other kind is taken for one. */
const TYPE = "at+jwt";
const ALGORITHM = "HS256";
/** Far above what we issue; longer ones are refused unread. */
const MAX_LENGTH = 1_024;
const CACHED_TOKENS = 20_000;

export interface AccessClaims {
  readonly userId: string;
  readonly family: string;
  /** Wall-clock milliseconds, as `expiresAt`. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/**
 * Access tokens: JWTs (RFC 7519) signed with HMAC-SHA-256, told apart by issuer, audience and type. Roles are not in
 * them, they are read when the token is used: a role change needs no new token.
 */
export class AccessTokens {
  readonly #verified = new LRUCache<string, AccessClaims>({ max: CACHED_TOKENS });

  constructor(
    private readonly keys: KeyRing,
    private readonly clock: Pick<Clock, "now">,
  ) {}

  /** Signs a token that is valid for `seconds`. */
  issue(claims: Pick<AccessClaims, "userId" | "family">, seconds: number): string {
    const issuedAt = Math.floor(this.clock.now() / 1_000);
    const { kid, secret } = this.keys.signer;
    return jwt.sign(
      { iss: ISSUER, aud: AUDIENCE, sub: claims.userId, fam: claims.family, iat: issuedAt, exp: issuedAt + seconds },
      secret,
      { algorithm: ALGORITHM, keyid: kid, header: { alg: ALGORITHM, typ: TYPE } },
    );
  }

  /**
   * What a valid token says. A token verified before is looked up; only its expiry is checked again.
   * @throws ParleyError UNAUTHORIZED
   */
  verify(token: string): AccessClaims {
    const claims = this.#verified.get(token) ?? this.#verify(token);
    if (claims.expiresAt > this.clock.now()) return claims;
    this.#verified.delete(token);
    throw new ParleyError("UNAUTHORIZED");
  }

  #verify(token: string): AccessClaims {
    if (token.length > MAX_LENGTH) throw new ParleyError("UNAUTHORIZED");
    const claims = this.#claimsOf(token);
    if (!claims) throw new ParleyError("UNAUTHORIZED");
    this.#verified.set(token, claims);
    return claims;
  }

  #claimsOf(token: string): AccessClaims | undefined {
    try {
      const { header } = jwt.decode(token, { complete: true }) ?? {};
      const secret = typeof header?.kid === "string" ? this.keys.find(header.kid) : undefined;
      if (!secret || header?.typ !== TYPE) return undefined;
      const payload = jwt.verify(token, secret, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        clockTimestamp: Math.floor(this.clock.now() / 1_000),
      });
      return typeof payload === "object" ? read(payload) : undefined;
    } catch {
      return undefined;
    }
  }
}

function read({ sub, fam, iat, exp }: JwtPayload): AccessClaims | undefined {
  if (typeof sub !== "string" || typeof fam !== "string" || typeof iat !== "number" || typeof exp !== "number")
    return undefined;
  return { userId: sub, family: fam, issuedAt: iat * 1_000, expiresAt: exp * 1_000 };
}
