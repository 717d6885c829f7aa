import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { obtain, PROGRAMS } from "../../support/servers/obtain";

const { PATH, XDG_CACHE_HOME } = process.env;
let folder = "";

const restore = (name: string, value: string | undefined) => {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
};

/** A program of its own in the only folder of PATH. */
function program(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

const log = () => readFileSync(join(folder, "log"), "utf8").trim().split("\n");
const logged = 'echo "$*" >> "$(/usr/bin/dirname "$0")/log"';
const makes = (file: string) => `echo : > ${file}; /bin/chmod +x ${file}`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-obtain-"));
  process.env["PATH"] = folder;
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
  jest.spyOn(process, "getuid").mockReturnValue(0);
  jest.spyOn(process.stderr, "write").mockReturnValue(true);
});

afterEach(() => {
  jest.restoreAllMocks();
  restore("PATH", PATH);
  restore("XDG_CACHE_HOME", XDG_CACHE_HOME);
  rmSync(folder, { recursive: true, force: true });
});

describe("a program that tests need", () => {
  const file = () => join(folder, "nats-server");

  it("is taken from the PATH when it is there", async () => {
    program("nats-server", ":");
    program("apt-get", logged);
    expect(await obtain(PROGRAMS.nats)).toBe(file());
    expect(log).toThrow("ENOENT");
  });

  it("is installed from Debian by root, after the package lists were fetched when they are missing", async () => {
    program(
      "apt-get",
      `${logged}\n[ "$1" = update ] && exit 0\n[ -e ${folder}/one ] && ${makes(file())}; : > ${folder}/one
[ -e ${file()} ]`,
    );
    expect(await obtain(PROGRAMS.nats)).toBe(file());
    expect(log()).toEqual([
      expect.stringMatching(/ install .* nats-server$/),
      "update",
      expect.stringMatching(/ install .* nats-server$/),
    ]);
  });

  it("is built with Go, once, by those who may not install", async () => {
    jest.spyOn(process, "getuid").mockReturnValue(1000);
    program("apt-get", logged);
    program("go", `${logged}\n${makes('"$GOBIN/nats-server"')}`);
    const built = await obtain(PROGRAMS.nats);
    expect(built).toMatch(/nats-server-v2\.15\.2\/nats-server$/);
    expect(await obtain(PROGRAMS.nats)).toBe(built);
    expect(log()).toEqual(["install github.com/nats-io/nats-server/v2@v2.15.2"]);
  });

  it("is missed with what was tried and what to install when nothing works", async () => {
    program("apt-get", "echo no such package >&2; exit 100");
    program("go", "echo no route to host >&2; exit 1");
    await expect(obtain(PROGRAMS.nats)).rejects.toThrow(
      /^nats-server is not in PATH.*\nInstall it: apt-get install nats-server, or go install[^]*no such package[^]*no route to host/,
    );
  });
});
