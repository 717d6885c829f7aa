/** One entry of the numbered list of revocations. */
export interface Revocation {
  /** 1, 2, 3, ... without gaps. */
  readonly number: number;
  readonly userId: string;
  /** The login that ended; without it the user is gone, with every login. */
  readonly family?: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** Answer of the internal action `auth.revocations`. */
export interface RevocationPage {
  /** By ascending number. */
  readonly revocations: readonly Revocation[];
  /** The greatest number there is, 0 when there is none; entries up to it are complete with the last page. */
  readonly last: number;
  readonly more: boolean;
}
