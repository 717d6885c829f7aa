import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SETTINGS } from "../../lib/config";
import { ERRORS } from "../../lib/errors";
import { CONTRACTS } from "../../services/contracts";
import { SERVER_EVENTS } from "../../services/io/server-events";

const ROOT = join(__dirname, "..", "..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const PAGES = globSync(["*.md", "docs/**/*.md"], { cwd: ROOT }).sort();
const npmScripts = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);

describe.each(PAGES)("%s", (page) => {
  const text = read(page);

  it("links only to files that are there", () => {
    const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)\s]*)?\)/g)].map(([, link]) => link ?? "");
    const local = links.filter((link) => !/^[a-z]+:/.test(link));
    expect(local.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([]);
  });

  it("names only tests, sources and npm scripts that are there", () => {
    const paths = [...text.matchAll(/`((?:actors|bin|bench|lib|mixins|repl|services|test|eslint)\/[\w./-]+)`/g)];
    expect(paths.map(([, path]) => path ?? "").filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const scripts = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script ?? "");
    expect(scripts.filter((script) => !npmScripts.includes(script))).toEqual([]);
  });

  it("names only settings and errors that exist", () => {
    const names = [...text.matchAll(/`([A-Z]{2,}(?:_[A-Z]+)+)`/g)].map(([, name]) => name ?? "");
    expect(names.filter((name) => !(name in SETTINGS) && !(name in ERRORS))).toEqual([]);
  });
});

describe("docs/protocol.md", () => {
  const text = read("docs/protocol.md");

  it.each(CONTRACTS.flatMap(({ socket }) => (socket === undefined ? [] : [socket])))("describes %s", (event) => {
    expect(text).toMatch(new RegExp(`^\\| \`${event.replace(".", "\\.")}\``, "m"));
  });

  it.each(
    CONTRACTS.flatMap(({ socket, params }) =>
      socket === undefined ? [] : [[socket, Object.keys(params.properties)] as const],
    ),
  )("names each field of %s", (event, fields) => {
    const row = text.split("\n").find((line) => line.startsWith(`| \`${event}\``)) ?? "";
    expect(fields.filter((field) => !row.includes(field))).toEqual([]);
  });

  const sent = text.slice(text.indexOf("## What the server sends"));
  const OPEN_ENDED = ["error", "notification"];

  it.each(SERVER_EVENTS)("describes $name, with its fields", ({ name, payload }) => {
    const row = sent.split("\n").find((line) => line.startsWith(`| \`${name}\``));
    expect(row).toBeDefined();
    const fields = Object.keys((payload as { properties?: object }).properties ?? {});
    expect(fields.filter((field) => !OPEN_ENDED.includes(name) && !row?.includes(field))).toEqual([]);
  });
});
