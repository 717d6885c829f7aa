import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedFiles } from "./generated";
import { metricsReference } from "./metrics-reference";

const ROOT = join(__dirname, "..");

async function main(): Promise<void> {
  const files = new Map([...generatedFiles(), ["docs/metrics.md", await metricsReference()]]);
  for (const [path, text] of files) {
    const file = join(ROOT, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    process.stdout.write(`${path}\n`);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
