import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, readConfig } from "../lib/config";
import { CommandFailure } from "./command-line";

/** Where the server with these settings is, as seen from its own machine. */
export const addressOf = ({ HOST, PORT }: Config): string =>
  `http://${["0.0.0.0", "::"].includes(HOST) ? "127.0.0.1" : HOST}:${PORT}`;

/** The settings of this machine, .env included, and the server that is meant: its own, or the one at `url`. */
export function chosenServer(url?: string): { config: Config; url: string } {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const config = readConfig(process.env);
  return { config, url: (url ?? addressOf(config)).replace(/\/+$/, "") };
}

/** What to say of a file that cannot be read. */
type Complaint = (file: string) => string;

/**
 * Who the administrator is, by the settings or by the file that the first start wrote.
 * @throws CommandFailure when there is neither
 */
export const credentials = (
  { ADMIN_EMAIL: email = "admin@localhost", ADMIN_PASSWORD, DATA_DIR }: Config,
  complaint: Complaint,
): { email: string; password: string } => ({
  email,
  password: ADMIN_PASSWORD ?? readSecret(join(DATA_DIR, "admin-password"), complaint),
});

/** What stands in a file that holds nothing else. @throws CommandFailure when it cannot be read */
export function readSecret(file: string, complaint: Complaint): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    throw new CommandFailure(complaint(file));
  }
}
