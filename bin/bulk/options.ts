import { CommandFailure } from "../command-line";
import { chosenServer, credentials, readSecret } from "../local-server";
import { AdminClient } from "./admin-client";

/** Which server, and who asks. */
export const SERVER_OPTIONS = { url: { type: "string" }, "token-file": { type: "string" } } as const;

export interface ServerOptions {
  readonly url?: string;
  readonly "token-file"?: string;
}

/**
 * A client for the server of HOST and PORT, or of `url`, in the name of the administrator: by a file that holds a token,
 * by ADMIN_EMAIL and ADMIN_PASSWORD, or by the password that the first start wrote. Never by an option: others see those.
 * @throws CommandFailure when there is none of it
 */
export function adminClient(options: ServerOptions): { client: AdminClient; url: string } {
  const { config, url } = chosenServer(options.url);
  const { "token-file": tokenFile } = options;
  const login = tokenFile === undefined ? credentials(config, whoAreYou) : { token: readSecret(tokenFile, whoAreYou) };
  return { url, client: new AdminClient({ url, login }) };
}

const whoAreYou = (file: string): string =>
  `who are you? ${file} cannot be read; set ADMIN_EMAIL and ADMIN_PASSWORD, or give --token-file`;

/** The file that is named, and what it is by its name. @throws CommandFailure when it is neither CSV nor JSON lines */
export function namedFile(file: string | undefined): { file: string; isCsv: boolean } {
  const [, kind] = /\.(csv|jsonl)$/i.exec(file ?? "") ?? [];
  if (file === undefined || kind === undefined)
    throw new CommandFailure("name a .csv or a .jsonl file; --help tells the rest");
  return { file, isCsv: kind.toLowerCase() === "csv" };
}
