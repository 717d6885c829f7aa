import { execFileSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(__dirname, "../../..");
const SCRIPT = `
  const { createNode } = require("./lib/node");
  const { MemoryStore } = require("./lib/store/memory");
  createNode({ env: { LOG_LEVEL: "silent", PORT: "0" }, store: new MemoryStore() }).then(() => {
    const loaded = Object.keys(require.cache).join("\\n");
    console.log(JSON.stringify(["mongoose", "mongodb", "ioredis", "nats"].filter((name) => loaded.includes("/node_modules/" + name + "/"))));
    process.exit(0);
  });`;

it("loads no driver of a server that the embedded default does without", () => {
  const output = execFileSync(process.execPath, ["--require", "tsx/cjs", "-e", SCRIPT], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(JSON.parse(output.trim().split("\n").at(-1) ?? "")).toEqual([]);
});
