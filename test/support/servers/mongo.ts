import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { mongo } from "mongoose";
import { cached, digestOf } from "./cache";
import { runCommand } from "./commands";
import { buildFerret } from "./ferret";
import { obtain, PROGRAMS, progress } from "./obtain";
import { type ServerOptions, ServerProcess } from "./process";

const SOURCES = join(__dirname, "..", "mongo");
const source = (name: string) => join(SOURCES, name);
const PING_TIMEOUT_MS = 1_000;
const BUILD_TIMEOUT_MS = 10 * 60_000;
const HEAP = "-Xmx768m";

/**
 * `ferret`: FerretDB over SQLite files; keeps its data over a kill, but its updates are not atomic.
 * `java`: mongo-java-server; updates are atomic, but everything is in memory.
 */
export type MongoKind = "ferret" | "java";

export interface MongoOptions extends ServerOptions {
  readonly kind?: MongoKind;
}

/** A stand-in that speaks MongoDB's protocol. Neither has transactions, TTL, text or partial indexes. */
export class MongoServer extends ServerProcess {
  readonly kind: MongoKind;

  constructor(options: MongoOptions = {}) {
    super(options.kind ?? "ferret", options);
    this.kind = options.kind ?? "ferret";
  }

  get url(): string {
    return `mongodb://127.0.0.1:${this.port}/parley`;
  }

  protected override async command(port: number): Promise<readonly string[]> {
    if (this.kind === "ferret") return [await buildFerret(), `127.0.0.1:${port}`, this.folder];
    const { java, folder } = await buildJava();
    const classPath = [folder, join(folder, "lib", "*")].join(delimiter);
    return [java, HEAP, "-cp", classPath, "Mongo", "127.0.0.1", String(port)];
  }

  protected override async ping(): Promise<void> {
    const client = new mongo.MongoClient(this.url, { serverSelectionTimeoutMS: PING_TIMEOUT_MS });
    try {
      await client.db("admin").command({ ping: 1 }, { timeoutMS: PING_TIMEOUT_MS });
    } finally {
      await client.close();
    }
  }
}

/** The folder with `Mongo.class` and, in `lib`, what it stands on; Maven fetches those from its own repository. */
async function buildJava(): Promise<{ java: string; folder: string }> {
  const javac = await obtain(PROGRAMS.javac);
  const folder = await cached(`mongo-java-${digestOf(["Mongo.java", "pom.xml"].map(source))}`, async (draft) => {
    const mvn = await obtain(PROGRAMS.mvn);
    progress("building mongo-java-server with Maven");
    const lib = join(draft, "lib");
    mkdirSync(lib);
    const copy = ["-q", "-B", "-f", source("pom.xml"), "dependency:copy-dependencies"];
    await runCommand(mvn, [...copy, "-DincludeScope=runtime", `-DoutputDirectory=${lib}`], {
      cwd: draft,
      timeoutMs: BUILD_TIMEOUT_MS,
    });
    const compile = ["-cp", join(lib, "*"), "-d", draft, source("Mongo.java")];
    await runCommand(javac, compile, { timeoutMs: BUILD_TIMEOUT_MS });
  });
  return { java: "java", folder };
}
