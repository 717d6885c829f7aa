import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

/** Bytes of a secret: RFC 7518, section 3.2, asks for at least the size of the hash. */
const SECRET_BYTES = 32;
const KID = /^[A-Za-z0-9_-]{1,32}$/;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const FILE = "auth-keys.json";

export interface SigningKey {
  readonly kid: string;
  readonly secret: KeyObject;
}

/** The keys of access tokens: the first signs, all of them verify. */
export class KeyRing {
  readonly signer: SigningKey;
  readonly #secrets: ReadonlyMap<string, KeyObject>;

  constructor(keys: readonly SigningKey[]) {
    const [signer] = keys;
    if (!signer) throw new Error("at least one signing key is needed");
    this.signer = signer;
    this.#secrets = new Map(keys.map((key) => [key.kid, key.secret]));
    if (this.#secrets.size < keys.length) throw new Error("two signing keys have the same id");
  }

  /** The secret of a key id, looked up among the own ones and nowhere else. */
  find(kid: string): KeyObject | undefined {
    return this.#secrets.get(kid);
  }
}

/**
 * Reads keys written as `kid:secret,kid2:secret2`: ids of letters, digits, `_` and `-`, secrets in base64 of at least
 * 32 bytes (`openssl rand -base64 32`). To rotate, put a new key in front; remove an old one when the access tokens it
 * signed have expired. Errors name the position, never a secret.
 */
export function parseKeys(text: string): KeyRing {
  return new KeyRing(
    text.split(",").map((part, index) => {
      const separator = part.indexOf(":");
      const kid = part.slice(0, separator).trim();
      const encoded = part.slice(separator + 1).trim();
      if (separator < 0 || !KID.test(kid)) throw new Error(`signing key ${index + 1}: expected kid:secret`);
      return { kid, secret: decode(encoded, `signing key ${index + 1}`) };
    }),
  );
}

/**
 * The keys of this installation: those of the setting, else those kept in `<folder>/auth-keys.json` (mode 0600), which
 * is made when missing. Whoever makes it at the same time ends up with the same keys.
 */
export async function loadKeys(options: {
  readonly keys?: string | undefined;
  readonly folder: string;
}): Promise<KeyRing> {
  if (options.keys) return parseKeys(options.keys);
  const path = join(options.folder, FILE);
  return (await readKeys(path)) ?? (await makeKeys(options.folder, path));
}

async function readKeys(path: string): Promise<KeyRing | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const keys = keysOf(text);
  if (!keys) throw new Error(`${path} is damaged: restore it, or remove it to end every login`);
  return new KeyRing(keys.map(({ kid, secret }) => ({ kid, secret: decode(secret, path) })));
}

/** Written aside and linked into place: the file is complete or absent, and the first one made stays. */
async function makeKeys(folder: string, path: string): Promise<KeyRing> {
  const key = { kid: randomBytes(6).toString("hex"), secret: randomBytes(SECRET_BYTES).toString("base64") };
  await mkdir(folder, { recursive: true });
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ keys: [key] }, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await rm(draft, { force: true });
  const keys = await readKeys(path);
  if (!keys) throw new Error(`${path} vanished while it was made`);
  return keys;
}

function keysOf(text: string): Array<{ kid: string; secret: string }> | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) && keys.length > 0 && keys.every(isKey) ? keys : undefined;
  } catch {
    return undefined;
  }
}

const isKey = (value: unknown): value is { kid: string; secret: string } => {
  if (typeof value !== "object" || value === null) return false;
  const { kid, secret } = value as Record<string, unknown>;
  return typeof kid === "string" && KID.test(kid) && typeof secret === "string";
};

function decode(encoded: string, where: string): KeyObject {
  const bytes = BASE64.test(encoded) ? Buffer.from(encoded, "base64") : Buffer.alloc(0);
  if (bytes.length < SECRET_BYTES)
    throw new Error(`${where}: the secret must be base64 of at least ${SECRET_BYTES} bytes`);
  return createSecretKey(bytes);
}
