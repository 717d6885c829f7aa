import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { runCommand } from "../support/servers/commands";
import { until } from "../support/wait";
import { OBTAIN_MS, outcomeOf, pythonTool, ROOT } from "./tools";

const DOCKERFILE = readFileSync(join(ROOT, "Dockerfile"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "parley-image-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("Dockerfile", () => {
  it(
    "is what hadolint allows",
    async () => {
      const { program, args } = await pythonTool("hadolint");
      expect(await outcomeOf(program, [...args, "Dockerfile"])).toEqual({ ok: true, text: "" });
      const bad = join(folder, "Dockerfile");
      writeFileSync(bad, DOCKERFILE.replaceAll("node:24-slim", "node:latest"));
      expect(await outcomeOf(program, [...args, bad])).toMatchObject({ ok: false });
    },
    OBTAIN_MS,
  );

  it("runs as nobody in particular, on the Node that the project is for", () => {
    const users = [...DOCKERFILE.matchAll(/^USER (.+)$/gm)].map(([, user]) => user);
    expect(users).toEqual(["1000:1000"]);
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      devDependencies: { node: string };
    };
    const major = /\d+/.exec(devDependencies.node)?.[0];
    expect(new Set([...DOCKERFILE.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image))).toEqual(
      new Set([`node:${major}-slim`]),
    );
  });

  it("brings no source, no test and no secret into the build but what is compiled", () => {
    const ignore = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
    expect(ignore).toContain("*");
    const wanted = ignore.filter((line) => line.startsWith("!")).map((line) => line.slice(1).replace(/\/$/, ""));
    const { include } = parse(readFileSync(join(ROOT, "tsconfig.build.json"), "utf8")) as { include: string[] };
    const compiled = include.map((pattern) => pattern.split("/")[0] ?? "");
    expect(wanted.sort()).toEqual(
      [...compiled, "package.json", "package-lock.json", ".npmrc", "tsconfig.json", "tsconfig.build.json"].sort(),
    );
  });
});

describe("what the image runs", () => {
  let server: ChildProcess | undefined;
  let output = "";
  afterEach(() => server?.kill("SIGKILL"));

  it(
    "is compiled, needs production packages only, answers, and ends by SIGTERM",
    async () => {
      const app = join(folder, "app");
      mkdirSync(app);
      const build = ["--outDir", join(app, "dist"), "-p", "tsconfig.build.json"];
      await runCommand(join(ROOT, "node_modules/.bin/tsc"), build, { cwd: ROOT, timeoutMs: OBTAIN_MS });
      for (const file of ["package.json", "package-lock.json", ".npmrc"]) cpSync(join(ROOT, file), join(app, file));
      const install = ["install", "--omit=dev", "--no-audit", "--no-fund", "--prefer-offline"];
      await runCommand("npm", install, { cwd: app, timeoutMs: OBTAIN_MS });

      const command = JSON.parse(/^CMD (\[.+\])$/m.exec(DOCKERFILE)?.[1] ?? "") as string[];
      const healthCheck = JSON.parse(/^ +CMD (\[.+\])$/m.exec(DOCKERFILE)?.[1] ?? "") as string[];
      const env = { PATH: process.env["PATH"], NODE_ENV: "production", PORT: "0", DATA_DIR: join(folder, "data") };
      server = spawn(process.execPath, command.slice(1), { cwd: app, env, stdio: ["ignore", "pipe", "pipe"] });
      for (const stream of [server.stdout, server.stderr]) stream?.on("data", (text) => (output += String(text)));
      const url = await until("the server", () => /Sockets +(http\S+)/.exec(output)?.[1], 30_000).catch(() => output);

      const probe = async (port: string) => {
        const child = spawn(process.execPath, healthCheck.slice(1), { env: { ...env, PORT: port } });
        const [code] = (await once(child, "exit")) as [number];
        return code;
      };
      expect(await probe(new URL(url).port)).toBe(0);
      expect(await probe("1")).toBe(1);
      server.kill("SIGTERM");
      expect(await once(server, "exit")).toEqual([0, null]);
    },
    OBTAIN_MS,
  );
});
