import type { SessionView as Session } from "../../services/conversation-views";
import { CommandFailure } from "../command-line";
import type { Api, Login } from "../rest-client";
import { KEYWORDS, REPLIES, TOPICS } from "./desk";
import { emailOf, PEOPLE, type Person, type Who, WHO } from "./people";
import { type Script, SCRIPTS, type Step } from "./sessions";

export interface SeedPorts {
  readonly server: Api;
  readonly admin: Login;
  readonly password: string;
  /** Whether the people may be there already, with this password. */
  readonly known: boolean;
  /** Told at each step. */
  progress(what: string): void;
}

/** What there is afterwards. */
export interface Seeded {
  readonly people: ReadonlyMap<Who, Login>;
  readonly sessions: ReadonlyArray<Session & { readonly name: string }>;
}

/** The first description of a topic is that of every new server. */
const NEW_VERSION = 1;

/**
 * Fills a desk over the public API. What is there already stays as it is: people have fixed e-mails, commands fixed ids,
 * and topics, rules and replies that somebody has written are left alone.
 * @throws CommandFailure
 */
export async function seed(ports: SeedPorts): Promise<Seeded> {
  await describeDesk(ports);
  const people = new Map<Who, Login>();
  for (const who of WHO) people.set(who, await makePerson(ports, who));
  const sessions = [];
  for (const script of SCRIPTS) sessions.push({ name: script.name, ...(await playScript(ports, script, people)) });
  return { people, sessions };
}

async function describeDesk({ server, admin: { accessToken: token }, progress }: SeedPorts): Promise<void> {
  progress("topics, keyword rules and canned replies");
  for (const { id, ...topic } of TOPICS) {
    const { version } = await server.get<{ version: number }>(`/topics/${id}`, token);
    if (version <= NEW_VERSION) await server.put(`/topics/${id}`, { ...topic, version }, token);
  }
  const { keywords } = await server.get<{ keywords: Array<{ id: string }> }>("/keywords", token);
  for (const { id, ...rule } of KEYWORDS)
    if (!keywords.some((each) => each.id === id)) await server.put(`/keywords/${id}`, rule, token);
  for (const { shortcut, ...reply } of REPLIES) {
    const asked = `/replies?scope=shared&prefix=${shortcut}`;
    const { replies } = await server.get<{ replies: Array<{ shortcut: string }> }>(asked, token);
    if (!replies.some((each) => each.shortcut === shortcut))
      await server.put(`/replies/shared/${shortcut}`, reply, token);
  }
}

/** Logs somebody in, who is made before if need be, with role, skills or tier. */
async function makePerson(ports: SeedPorts, who: Who): Promise<Login> {
  const { server, admin, progress } = ports;
  const { name, role, skills, capacity, tier }: Person = PEOPLE[who];
  progress(name);
  const login = await enter(ports, who, name);
  const { id, roles } = login.user;
  if (!roles.includes(role)) await server.put(`/users/${id}/roles`, { roles: [role] }, admin.accessToken);
  if (tier !== undefined) await server.put(`/users/${id}/tier`, { tier }, admin.accessToken);
  if (skills) await server.put(`/agents/${id}`, { skills, capacity }, admin.accessToken);
  return login;
}

async function enter({ server, password, known }: SeedPorts, who: Who, name: string): Promise<Login> {
  const email = emailOf(who);
  const signUp = () => server.post<Login>("/auth/signup", { email, password, name });
  const logIn = () => server.post<Login>("/auth/login", { email, password });
  const [first, second] = known ? [logIn, signUp] : [signUp, logIn];
  return first()
    .catch(only(["BAD_CREDENTIALS", "EMAIL_TAKEN"], second))
    .catch(
      only(["BAD_CREDENTIALS", "EMAIL_TAKEN"], () => {
        throw new CommandFailure(`${email} is there with another password: set SEED_PASSWORD to it`);
      }),
    );
}

/** Opens a session and does what was not done in it yet. @returns the session as its customer sees it at the end */
async function playScript(
  { server, progress }: SeedPorts,
  { name, customer, steps, ...opening }: Script,
  people: ReadonlyMap<Who, Login>,
): Promise<Session> {
  progress(`session "${opening.subject}"`);
  const loginOf = (who: Who): Login => {
    const login = people.get(who);
    if (!login) throw new CommandFailure(`nobody is called ${who}`);
    return login;
  };
  const key = `seed/${name}`;
  const { accessToken } = loginOf(customer);
  const { id, conversationId } = await server.post<Session>("/sessions", opening, accessToken, key);
  const take = async ({ by, action, body, to }: Step, at: number): Promise<void> => {
    const path = action === "message" ? `/conversations/${conversationId}/messages` : `/sessions/${id}/${action}`;
    const target = to === undefined ? {} : { to: { agentId: loginOf(to).user.id } };
    await server.post(path, { ...body, ...target }, loginOf(by).accessToken, `${key}/${at}`);
  };
  try {
    for (const [at, step] of steps.entries()) await take(step, at);
  } catch (error) {
    // Somebody else has used the desk meanwhile: this session is theirs.
    only(["SESSION_TAKEN", "SESSION_CLOSED", "SESSION_NOT_ASSIGNED", "NOT_FOUND"], () => undefined)(error);
  }
  return server.get<Session>(`/sessions/${id}`, accessToken);
}

/** Does something else after a refusal of these types, and passes everything else on. */
const only =
  <T>(types: readonly string[], then: () => T) =>
  (error: unknown): T => {
    if (error instanceof CommandFailure && error.type !== undefined && types.includes(error.type)) return then();
    throw error;
  };
