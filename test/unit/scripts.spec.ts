import { execFile, execFileSync } from "node:child_process";
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const ROOT = join(__dirname, "../..");
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };

function specsOf(...args: readonly string[]): string[] {
  const jest = join(ROOT, "node_modules/jest/bin/jest.js");
  const words = [jest, "--listTests", "--json", ...args];
  const list = execFileSync(process.execPath, words, {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return (JSON.parse(list.slice(list.indexOf("["))) as string[]).sort();
}

describe("the test commands", () => {
  const embedded = specsOf("--selectProjects", "embedded");

  it("check style and types, then run every spec exactly once", () => {
    expect(scripts["test"]).toBe("npm run lint && npm run typecheck && jest");
    const onDisk = globSync("test/**/*.spec.ts", { cwd: ROOT }).map((file) => join(ROOT, file));
    expect(specsOf()).toEqual(onDisk.sort());
  });

  it("leave out of test:embedded only what needs more than npm", () => {
    expect(scripts["test:embedded"]).toBe(`${scripts["test"]} --selectProjects embedded`);
    const others = specsOf().filter((file) => !embedded.includes(file));
    const MORE_THAN_NPM = /\/test\/(cluster\/|deploy\/|conformance\/[^/]+\.(mongo|redis)\.spec\.ts$)/;
    expect(others.filter((file) => !MORE_THAN_NPM.test(file))).toEqual([]);
  });

  it("start no real server for an embedded spec", () => {
    const own = join(ROOT, "test/unit/support/servers.spec.ts");
    const starting = /support\/(servers|cluster)"/;
    expect(embedded.filter((file) => file !== own && starting.test(readFileSync(file, "utf8")))).toEqual([]);
  });
});

describe(".ci/run", () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-ci-"));

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs it with an npm that installs nothing and whose tests end with `code`, after this report. */
  function run(report: object | undefined, code: number): Promise<{ code: unknown; lines: string[] }> {
    const written = report === undefined ? ":" : `printf '%s' '${JSON.stringify(report)}' > "\${4#--outputFile=}"`;
    const npm = `#!/bin/sh\n[ "$1" = install ] && exit 0\n${written}\nexit ${code}\n`;
    writeFileSync(join(folder, "npm"), npm);
    chmodSync(join(folder, "npm"), 0o755);
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"]}` };
    return new Promise((resolve) => {
      execFile(join(ROOT, ".ci/run"), { env }, (error, stdout) => {
        resolve({ code: error?.code ?? 0, lines: stdout.trimEnd().split("\n") });
      });
    });
  }

  const GREEN = { numPassedTests: 12, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };

  it("ends with the counts of a green run", async () => {
    const { code, lines } = await run(GREEN, 0);
    expect(lines.at(-1)).toBe("12 passed, 0 failed");
    expect(code).toBe(0);
  });

  it("counts a file that could not be run, and fails", async () => {
    const { code, lines } = await run({ ...GREEN, numFailedTests: 2, numRuntimeErrorTestSuites: 1 }, 1);
    expect(lines.at(-1)).toBe("12 passed, 3 failed");
    expect(code).toBe(1);
  });

  it("fails when no test was run", async () => {
    const { code, lines } = await run(undefined, 2);
    expect(lines.at(-1)).toBe("0 passed, 1 failed");
    expect(code).toBe(2);
  });
});
