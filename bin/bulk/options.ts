import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../../lib/config";
import { AdminClient } from "./admin-client";
import { FileError } from "./csv";

/**
 * A client for the server of HOST and PORT, or of `url`, in the name of the administrator: by a file that holds a token,
 * by ADMIN_EMAIL and ADMIN_PASSWORD, or by the password that the first start wrote. Never by an option: others see those.
 * @throws FileError when there is none of it
 */
export function adminClient(options: {
  readonly url?: string | undefined;
  readonly "token-file"?: string | undefined;
}): {
  client: AdminClient;
  url: string;
} {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const config = readConfig(process.env);
  const host = ["0.0.0.0", "::"].includes(config.HOST) ? "127.0.0.1" : config.HOST;
  const url = (options.url ?? `http://${host}:${config.PORT}`).replace(/\/+$/, "");
  const tokenFile = options["token-file"];
  if (tokenFile !== undefined) return { url, client: new AdminClient({ url, login: { token: textOf(tokenFile) } }) };
  const password = config.ADMIN_PASSWORD ?? textOf(join(config.DATA_DIR, "admin-password"));
  const email = config.ADMIN_EMAIL ?? "admin@localhost";
  return { url, client: new AdminClient({ url, login: { email, password } }) };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    throw new FileError(
      `who are you? ${file} cannot be read; set ADMIN_EMAIL and ADMIN_PASSWORD, or give --token-file`,
    );
  }
}
