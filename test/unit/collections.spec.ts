import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CollectionDefinition } from "../../lib/store/collection";
import { validateDefinition } from "../../lib/store/indexes";
import { COLLECTIONS } from "../../services/collections";

const ROOT = join(__dirname, "..", "..");

/** Every definition in the sources, by the name of its constant. */
function definitions(): Map<string, CollectionDefinition> {
  const found = new Map<string, CollectionDefinition>();
  const files = globSync("{actors,lib,services}/**/*.ts", { cwd: ROOT, exclude: ["lib/store/**"] });
  for (const file of files) {
    const names = [
      ...readFileSync(join(ROOT, file), "utf8").matchAll(/^(?:export )?const (\w+): CollectionDefinition\b/gm),
    ];
    if (names.length === 0) continue;
    const exported = jest.requireActual<Record<string, CollectionDefinition>>(join(ROOT, file));
    for (const [, name = ""] of names) found.set(`${file} ${name}`, exported[name] as CollectionDefinition);
  }
  return found;
}

describe("the table of collections", () => {
  it("has every definition of the sources", () => {
    const defined = definitions();
    expect(defined.size).toBeGreaterThan(5);
    for (const [place, definition] of defined) expect([place, COLLECTIONS.includes(definition)]).toEqual([place, true]);
  });

  it("has valid definitions with names of their own", () => {
    for (const definition of COLLECTIONS) expect(() => validateDefinition(definition)).not.toThrow();
    expect(new Set(COLLECTIONS.map(({ name }) => name)).size).toBe(COLLECTIONS.length);
  });
});
