/**
 * Settings read from the environment. A setting says once what it is: its type, default, what is allowed and what it
 * is for. Reading, error texts, `.env.example` and `docs/configuration.md` are made from that.
 */
export interface Setting<T> {
  readonly kind: string;
  /** What is allowed, in words: "an integer from 0 to 65535". */
  readonly allowed: string;
  readonly default: T;
  readonly group: string;
  readonly help: string;
  /** Never shown, in no error and no log. */
  readonly secret: boolean;
  /** @throws Refused when the text is not allowed */
  parse(text: string): T;
}

export type Table = Readonly<Record<string, Setting<unknown>>>;
export type Values<T extends Table> = {
  readonly [K in keyof T]: T[K] extends Setting<infer V> ? V : never;
};

interface About {
  readonly group: string;
  readonly help: string;
}

/** Thrown by `parse`. `reason` replaces the list of what is allowed where that alone would not help. */
class Refused extends Error {
  constructor(readonly reason?: string) {
    super(reason);
  }
}

/** One or more settings are missing or malformed. The message says so, and has a line for each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: readonly string[]) {
    super(["The configuration is not valid.", ...problems].join("\n"));
  }
}

export function integer(about: About & { default: number; min: number; max: number }): Setting<number> {
  const { min, max } = about;
  return {
    ...about,
    kind: "integer",
    allowed: `an integer from ${min} to ${max}`,
    secret: false,
    parse: (text) => {
      const value = Number(text);
      if (!/^-?\d+$/.test(text) || value < min || value > max) throw new Refused();
      return value;
    },
  };
}

export function boolean(about: About & { default: boolean }): Setting<boolean> {
  return {
    ...about,
    kind: "boolean",
    allowed: "true or false",
    secret: false,
    parse: (text) => {
      if (text !== "true" && text !== "false") throw new Refused();
      return text === "true";
    },
  };
}

export function oneOf<const V extends string>(about: About & { default: V; values: readonly V[] }): Setting<V> {
  return {
    ...about,
    kind: "word",
    allowed: `one of ${about.values.join(", ")}`,
    secret: false,
    parse: (text) => {
      const value = about.values.find((candidate) => candidate === text);
      if (value === undefined) throw new Refused();
      return value;
    },
  };
}

interface TextOptions<D> extends About {
  readonly default: D;
  readonly pattern?: RegExp;
  readonly allowed?: string;
}

export function string<D extends string | undefined>(about: TextOptions<D>): Setting<string | D> {
  return {
    ...about,
    kind: "string",
    allowed: about.allowed ?? "any text",
    secret: false,
    parse: (text) => {
      if (about.pattern && !about.pattern.test(text)) throw new Refused();
      return text;
    },
  };
}

/** Text that is masked wherever a setting could be shown. */
export function secret(about: Omit<TextOptions<undefined>, "default">): Setting<string | undefined> {
  return { ...string({ ...about, default: undefined }), kind: "secret", secret: true };
}

export interface ListOptions extends About {
  readonly allowed: string;
  /** Tells whether one item is allowed. */
  readonly item: (text: string) => boolean;
}

/** A comma list; blanks around items are ignored. The default is the empty list. */
export function list(about: ListOptions): Setting<readonly string[]> {
  return {
    ...about,
    kind: "list",
    default: [],
    secret: false,
    parse: (text) => {
      const items = text.split(",").map((item) => item.trim());
      if (!items.every(about.item)) throw new Refused();
      return items;
    },
  };
}

/** A name that is taken for later: setting it to anything stops the start instead of being ignored. */
export function reserved(about: About): Setting<undefined> {
  return {
    ...about,
    kind: "reserved",
    allowed: "nothing: not supported yet in this version, leave it empty",
    default: undefined,
    secret: true,
    parse: () => {
      throw new Refused("not supported yet in this version: leave it empty");
    },
  };
}

/**
 * Reads all settings of a table from an environment. An empty text counts as not set; other names are ignored.
 * @throws ConfigError naming every setting that is not allowed, what was read and what is allowed
 */
export function readSettings<T extends Table>(table: T, env: Readonly<Record<string, string | undefined>>): Values<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(table)) {
    const text = env[name]?.trim();
    if (text === undefined || text === "") {
      values[name] = setting.default;
      continue;
    }
    try {
      values[name] = setting.parse(text);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      problems.push(problem(name, setting, text, error.reason));
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as Values<T>;
}

function problem(name: string, setting: Setting<unknown>, text: string, reason: string | undefined): string {
  const read = setting.secret ? "a value that is not shown" : JSON.stringify(text.slice(0, 100));
  return `${name}: read ${read}; ${reason ?? `allowed is ${setting.allowed}`}`;
}
