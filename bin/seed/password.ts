import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const BYTES = 12;

export interface SeedPassword {
  readonly password: string;
  /** It was there before. */
  readonly known: boolean;
  /** Where it is kept; undefined when it was given. */
  readonly file?: string;
}

/**
 * The password of all people of the seed: a given one, or one that is drawn once and kept in `folder`, readable by the
 * owner only. There is none that anybody could know beforehand.
 */
export function seedPassword(given: string | undefined, folder: string): SeedPassword {
  if (given !== undefined && given !== "") return { password: given, known: true };
  const file = join(folder, "seed-password");
  try {
    return { password: readFileSync(file, "utf8").trim(), known: true, file };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const password = randomBytes(BYTES).toString("base64url");
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${password}\n`, { mode: 0o600, flag: "wx" });
  return { password, known: false, file };
}
