import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config";
import { type Check, type Finding, ok, warn } from "./finding";

const DAY_MS = 86_400_000;
const OLD_DAYS = 180;
const KEPT_IN = "auth-keys.json";
const DATE = /(20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])/;

/** How old is the key that signs? Known from its file, or from a date in its id; only the nodes know that of a cluster. */
export const keysCheck = ({ AUTH_KEYS: keys, NATS_URL: nats, DATA_DIR: folder }: Config, now = Date.now()): Check => ({
  name: "keys",
  async run() {
    if (keys !== undefined) return [given(keys, now)];
    return nats === undefined ? [await kept(folder, now)] : [];
  },
});

function given(keys: string, now: number): Finding {
  const ids = keys.split(",").map((key) => key.trim().split(":", 1)[0] ?? "");
  const [signer = ""] = ids;
  const others = ids.length > 1 ? `, ${ids.length - 1} more ${ids.length === 2 ? "verifies" : "verify"}` : "";
  const date = dateIn(signer);
  if (date === undefined)
    return ok(`${signer} signs${others}; its age is not known (an id like k-2026-01-31 would tell it)`);
  return aged(`${signer} signs${others}`, now - date);
}

async function kept(folder: string, now: number): Promise<Finding> {
  const path = join(folder, KEPT_IN);
  const made = await stat(path).catch(() => undefined);
  if (!made) return ok(`a key is made at the first start and kept in ${path}`);
  return aged(`the key of ${path} signs`, now - made.mtimeMs);
}

function aged(text: string, ageMs: number): Finding {
  const days = Math.max(0, Math.floor(ageMs / DAY_MS));
  if (days <= OLD_DAYS) return ok(`${text}; it is ${days} days old`);
  return warn(
    `${text}; it is ${days} days old`,
    "Put a new key in front of it in AUTH_KEYS, and drop the old one when ACCESS_TOKEN_SECONDS have passed.",
  );
}

function dateIn(id: string): number | undefined {
  const [, year, month, day] = DATE.exec(id) ?? [];
  return year === undefined ? undefined : Date.UTC(Number(year), Number(month) - 1, Number(day));
}
