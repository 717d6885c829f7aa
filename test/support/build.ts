import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { transform } from "@swc/core";

const ROOT = join(__dirname, "../..");
/** Below node_modules, where what is built finds its packages. */
const BUILDS = join(ROOT, "node_modules/.cache/parley");
const FOLDERS = ["actors", "bin", "lib", "mixins", "repl", "services", "test"];
const FILES = ["moleculer.config.ts", "package.json"];
const KEPT_MS = 86_400_000;

let latest: Promise<string> | undefined;

/**
 * The program compiled to JavaScript, in a folder that is made once for each state of the sources: a process that runs
 * from it starts in half the CPU time. Called several times in one process it answers the first folder.
 */
export const build = (): Promise<string> => (latest ??= buildOnce());

async function buildOnce(): Promise<string> {
  const sources = [...FOLDERS.flatMap(sourcesIn), ...FILES].map(
    (path) => [path, readFileSync(join(ROOT, path))] as const,
  );
  const hash = createHash("sha256");
  for (const [path, content] of sources) hash.update(`${path}\0`).update(content).update("\0");
  const folder = join(BUILDS, hash.digest("hex").slice(0, 16));
  if (!touch(folder)) await fill(folder, sources);
  removeOld();
  return folder;
}

/** Specs are left to Jest. */
const sourcesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".spec.ts"))
    .sort()
    .map((path) => join(folder, path));

/** False when there is none. */
function touch(folder: string): boolean {
  try {
    utimesSync(folder, new Date(), new Date());
    return true;
  } catch {
    return false;
  }
}

/** Compiled aside and moved into place, so that the folder is complete or absent. */
async function fill(folder: string, sources: ReadonlyArray<readonly [path: string, content: Buffer]>): Promise<void> {
  const draft = `${folder}.${randomUUID()}`;
  await Promise.all(sources.map(([path, content]) => compile(draft, path, content.toString())));
  try {
    renameSync(draft, folder);
  } catch {
    // Somebody else was first.
    rmSync(draft, { recursive: true, force: true });
  }
}

async function compile(draft: string, path: string, content: string): Promise<void> {
  const target = join(draft, path.replace(/\.ts$/, ".js"));
  mkdirSync(dirname(target), { recursive: true });
  if (!path.endsWith(".ts")) {
    writeFileSync(target, content);
    return;
  }
  const { code } = await transform(content, {
    filename: path,
    swcrc: false,
    jsc: {
      target: "es2023",
      parser: { syntax: "typescript", decorators: true },
      transform: { legacyDecorator: true, useDefineForClassFields: false },
    },
    module: { type: "commonjs" },
  });
  writeFileSync(target, code);
}

function removeOld(): void {
  for (const name of readdirSync(BUILDS)) {
    const folder = join(BUILDS, name);
    try {
      if (Date.now() - statSync(folder).mtimeMs > KEPT_MS) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another process was first.
    }
  }
}
