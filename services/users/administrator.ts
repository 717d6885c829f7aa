import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isParleyError } from "../../lib/errors";
import type { UserStore } from "./users.store";

const DEFAULT_EMAIL = "admin@localhost";
const PASSWORD_BYTES = 15;

export interface AdministratorOptions {
  readonly users: Pick<UserStore, "hasAdministrator" | "byEmail" | "create">;
  readonly hash: (password: string) => Promise<string>;
  /** ADMIN_EMAIL and ADMIN_PASSWORD; what is absent is `admin@localhost`, and drawn. */
  readonly email: string | undefined;
  readonly password: string | undefined;
  /** Where a drawn password is kept, in one line, readable by the owner only. */
  readonly passwordFile: string;
  readonly id: string;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

export interface Administrator {
  readonly email: string;
  /** Only when it was drawn here: to be shown once. */
  readonly password?: string;
  readonly created: boolean;
}

/**
 * Sees to it that there is an administrator. Makes one when there is none, unless its e-mail belongs to somebody: that
 * account is left as it is. Nodes that start together make one between them, since the e-mail is taken by its index.
 *
 * A drawn password is in its file before the account exists: a crash in between leaves no account whose password
 * nobody knows, and the next start takes the password from the file.
 */
export async function ensureAdministrator(options: AdministratorOptions): Promise<Administrator> {
  const email = options.email ?? DEFAULT_EMAIL;
  if ((await options.users.hasAdministrator()) || (await options.users.byEmail(email)))
    return { email, created: false };
  if (options.password !== undefined) return { email, created: await create(options, email, options.password) };

  const { password, written } = await drawnPassword(options.passwordFile);
  if (await create(options, email, password)) return { email, password, created: true };
  if (written) await rm(options.passwordFile, { force: true });
  return { email, created: false };
}

/** False when another node was first. */
async function create(options: AdministratorOptions, email: string, password: string): Promise<boolean> {
  const passwordHash = await options.hash(password);
  try {
    await options.users.create({
      _id: options.id,
      name: "Administrator",
      email,
      passwordHash,
      roles: ["admin"],
      guest: false,
      createdAt: options.now,
    });
    return true;
  } catch (error) {
    if (isParleyError(error) && error.type === "EMAIL_TAKEN") return false;
    throw error;
  }
}

/** The password in the file, or a new one written to it. */
async function drawnPassword(path: string): Promise<{ password: string; written: boolean }> {
  const password = randomBytes(PASSWORD_BYTES).toString("base64url");
  await mkdir(dirname(path), { recursive: true });
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(`${password}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    return { password, written: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const kept = (await readFile(path, "utf8")).trim();
  if (kept.length >= 8) return { password: kept, written: false };
  await rm(path);
  return drawnPassword(path);
}
