import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Parser } from "@asyncapi/parser";
import { validate } from "@readme/openapi-parser";
import { generatedFiles } from "../../bin/generated";
import { SETTINGS } from "../../lib/config";
import { readSettings } from "../../lib/settings";
import { ERRORS } from "../../lib/errors";
import { restApi, socketApi } from "../../services/api";
import { CONTRACTS } from "../../services/contracts";

const ROOT = join(__dirname, "..", "..");

describe("generated files", () => {
  it.each([...generatedFiles()])("%s is what `npm run generate` writes", (path, text) => {
    expect(readFileSync(join(ROOT, path), "utf8")).toBe(text);
  });

  it("names every setting and every error", () => {
    const files = generatedFiles();
    for (const name of Object.keys(SETTINGS)) {
      expect(files.get("docs/configuration.md")).toContain(`\`${name}\``);
      expect(files.get(".env.example")).toContain(`# ${name}=`);
    }
    for (const type of Object.keys(ERRORS)) expect(files.get("docs/errors.md")).toContain(`| \`${type}\` |`);
  });

  it("gives defaults that could be set", () => {
    const env: Record<string, string> = {};
    for (const [, name = "", value = ""] of (generatedFiles().get(".env.example") ?? "").matchAll(
      /^# ([A-Z_]+)=(.*)$/gm,
    )) {
      env[name] = value;
    }
    expect(readSettings(SETTINGS, env)).toEqual(readSettings(SETTINGS, {}));
  });
});

describe("OpenAPI document", () => {
  it("is valid OpenAPI 3.1", async () => {
    const result = await validate(structuredClone(restApi()) as never);
    expect(result).toMatchObject({ valid: true });
  });

  it("has every REST route, and asks for a token where the contract does", () => {
    const { paths } = restApi() as {
      paths: Record<string, Record<string, { operationId: string; security: unknown[] }>>;
    };
    const operations = Object.values(paths).flatMap((path) => Object.values(path));
    const rest = CONTRACTS.filter((contract) => contract.rest);
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual(rest.map(({ name }) => name).sort());
    for (const { operationId, security } of operations) {
      const isPublic = CONTRACTS.find(({ name }) => name === operationId)?.access === "public";
      expect(security.length).toBe(isPublic ? 0 : 1);
    }
  });

  it("lets the Idempotency-Key stand in for the commandId", () => {
    const { paths } = restApi() as { paths: Record<string, Record<string, object>> };
    expect(paths["/v1/conversations/{conversationId}/messages"]?.["post"]).toMatchObject({
      parameters: expect.arrayContaining([
        expect.objectContaining({ name: "Idempotency-Key", in: "header" }),
      ]) as unknown,
    });
    expect(JSON.stringify(paths["/v1/sessions"]?.["post"])).not.toContain('"required":["commandId"');
  });
});

describe("AsyncAPI document", () => {
  it("is valid AsyncAPI 3.0", async () => {
    const diagnostics = await new Parser().validate(JSON.stringify(socketApi()));
    const errors = diagnostics.filter(({ severity }) => Number(severity) === 0);
    expect(errors.map(({ path, message }) => `${path.join(".")}: ${message}`)).toEqual([]);
  }, 60_000);

  it("has every client event with its answer", () => {
    const { operations } = socketApi() as { operations: Record<string, { action: string; reply?: object }> };
    const received = Object.values(operations).filter(({ action }) => action === "receive");
    expect(received).toHaveLength(CONTRACTS.filter(({ socket }) => socket).length);
    expect(received.every(({ reply }) => reply !== undefined)).toBe(true);
  });
});
