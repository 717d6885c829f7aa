import { SETTINGS } from "../lib/config";
import { configurationPage, envExample, errorsPage } from "../lib/reference";
import { DOCUMENTED, restApi, socketApi } from "../services/api";

const json = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;

/** The files that are made from code, by path from the root; a test compares them with what is committed. */
export const generatedFiles = (): ReadonlyMap<string, string> =>
  new Map([
    [".env.example", envExample(SETTINGS)],
    ["docs/configuration.md", configurationPage(SETTINGS)],
    ["docs/errors.md", errorsPage(DOCUMENTED)],
    ["docs/openapi.json", json(restApi())],
    ["docs/asyncapi.json", json(socketApi())],
  ]);
