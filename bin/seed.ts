/** `npm run seed`: a support desk with people, topics and sessions in every state. */
import { readOptions, runCommand } from "./command-line";
import { chosenServer } from "./local-server";
import { administrator, api, findServer, patient } from "./rest-client";
import { overview } from "./seed/overview";
import { seedPassword } from "./seed/password";
import { seed } from "./seed/seeder";

const USAGE = `npm run seed -- [--url https://chat.example.org]

Fills a running server, that of HOST and PORT or of --url, with a support desk to look at: topics, agents, customers,
sessions in every state. Running it again makes nothing twice. With the standard limits it takes a minute.
Who is the administrator is known from ADMIN_EMAIL and ADMIN_PASSWORD, or from the file of the first start. The logins
have one password: SEED_PASSWORD, or one that is drawn and kept in DATA_DIR.
`;
const OPTIONS = { url: { type: "string" } } as const;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const options = readOptions(USAGE, OPTIONS);
  const { config, url } = chosenServer(options.url);
  const server = api(url, patient(say));
  await findServer(url);
  const admin = await administrator(server, config);
  const { password, known, file } = seedPassword(process.env["SEED_PASSWORD"], config.DATA_DIR);
  const seeded = await seed({ server, admin, password, known, progress: (what) => say(`  ${what}`) });
  say(`\n${overview(seeded)}\n`);
  say(file === undefined ? "The password is that of SEED_PASSWORD." : `Password: ${password}\n(kept in ${file})`);
}

runCommand(main);
