import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cached, digestOf } from "./cache";
import { runCommand } from "./commands";
import { obtain, PROGRAMS, progress } from "./obtain";

const SOURCES = join(__dirname, "..", "mongo");
const MODULE = "github.com/FerretDB/FerretDB";
const BUILD_TIMEOUT_MS = 10 * 60_000;

/** Files added to FerretDB's sources, by the package that each belongs to. */
const ADDED: Readonly<Record<string, string>> = {
  "order.go": "backends",
  "lookup.go": "backends/sqlite",
  "writes.go": "backends/sqlite",
  "lookup_indexes.go": "backends/sqlite/metadata",
};

/** Where FerretDB's sources call them: a line of its own, and what takes its place. */
const CALLS: ReadonlyArray<{ readonly file: string; readonly line: string; readonly instead: string }> = [
  {
    file: "backends/sqlite/collection.go",
    line: "	q := prepareSelectClause(meta.TableName, params.Comment, meta.Capped(), params.OnlyRecordIDs)\n",
    instead: `	q := prepareSelectClause(meta.TableName, params.Comment, meta.Capped(), params.OnlyRecordIDs)
	if !meta.Capped() && !params.OnlyRecordIDs {
		clauses, values := lookupClauses(ctx, meta, params)
		rows, err := db.QueryContext(ctx, q+clauses, values...)
		if err != nil {
			return nil, lazyerrors.Error(err)
		}
		return &backends.QueryResult{Iter: newQueryIterator(ctx, rows, params.OnlyRecordIDs)}, nil
	}
`,
  },
  {
    file: "backends/sqlite/metadata/metadata.go",
    line: "	IDColumn = DefaultColumn + \"->'$._id'\"\n",
    instead: '	IDColumn = DefaultColumn + `->"_id"`\n',
  },
  {
    file: "backends/sqlite/metadata/registry.go",
    line: "		created = append(created, index.Name)\n",
    instead: `		if q := lookupIndex(c.TableName, index); q != "" {
			if _, err := db.ExecContext(ctx, q); err != nil {
				return lazyerrors.Error(err)
			}
		}
		created = append(created, index.Name)
`,
  },
  {
    file: "handler/msg_find.go",
    line: "	queryRes, err := coll.Query(ctx, qp)\n",
    instead: `	queryCtx := ctx
	if params.Skip == 0 && !capped {
		queryCtx = backends.WithOrder(ctx, backends.Order{Sort: params.Sort, Limit: params.Limit})
	}
	queryRes, err := coll.Query(queryCtx, qp)
`,
  },
  // Or whoever waits for his turn to write holds a connection of the pool: with as many of them as there are connections
  // the one whose turn it is waits for one, and so do all others, for ever.
  {
    file: "handler/msg_update.go",
    line: `		result, err := common.UpdateDocument(ctx, c, "update", iter, &u)\n`,
    instead: `		found, err := iterator.ConsumeValues(iter)
		closer.Close()
		if err != nil {
			return 0, 0, nil, lazyerrors.Error(err)
		}
		docs := iterator.Values(iterator.ForSlice(found))
		defer docs.Close()
		result, err := common.UpdateDocument(ctx, c, "update", docs, &u)
`,
  },
  {
    file: "handler/msg_findandmodify.go",
    line: `	updateRes, err := common.UpdateDocument(ctx, c, "findAndModify", iter, update)\n`,
    instead: `	found, err := iterator.ConsumeValues(iter)
	queryRes.Iter.Close()
	if err != nil {
		return nil, lazyerrors.Error(err)
	}
	docs := iterator.Values(iterator.ForSlice(found))
	closer.Add(docs)
	updateRes, err := common.UpdateDocument(ctx, c, "findAndModify", docs, update)
`,
  },
  // Or writers that meet sleep until SQLite's lock is free, up to a tenth of a second at a time.
  ...["InsertAll", "UpdateAll", "DeleteAll"].map((write) => ({
    file: "backends/sqlite/collection.go",
    line: `func (c *collection) ${write}(ctx context.Context, params *backends.${write}Params) (*backends.${write}Result, error) {\n`,
    instead: `func (c *collection) ${write}(ctx context.Context, params *backends.${write}Params) (*backends.${write}Result, error) {
	defer c.turn(ctx)()
`,
  })),
  { file: "handler/msg_find.go", line: "!h.EnableNestedPushdown &&", instead: "false &&" },
  { file: "handler/msg_aggregate.go", line: "!h.EnableNestedPushdown &&", instead: "false &&" },
];

/**
 * The file of the FerretDB server, built with Go when the cache has none. FerretDB 1 reads a whole collection for every
 * query but one by `_id`, whatever indexes there are; with our additions its queries use them.
 */
export async function buildFerret(): Promise<string> {
  const own = readdirSync(join(SOURCES, "indexes")).map((name) => join(SOURCES, "indexes", name));
  const files = [...["main.go", "go.mod", "go.sum"].map((name) => join(SOURCES, name)), ...own, __filename];
  const folder = await cached(`ferretdb-${digestOf(files)}`, async (draft) => {
    const go = await obtain(PROGRAMS.go);
    progress("building FerretDB with Go, a minute or two the first time");
    const sources = join(draft, "sources");
    mkdirSync(sources);
    for (const name of ["main.go", "go.mod", "go.sum"]) copyFileSync(join(SOURCES, name), join(sources, name));
    const options = { cwd: sources, env: { CGO_ENABLED: "0", GOFLAGS: "-mod=mod" }, timeoutMs: BUILD_TIMEOUT_MS };
    await runCommand(go, ["mod", "download", MODULE], options);
    await copyModule(go, sources);
    await runCommand(go, ["mod", "edit", `-replace=${MODULE}=./ferretdb`], options);
    await runCommand(go, ["build", "-buildvcs=false", "-o", join(draft, "ferretdb"), "."], options);
    rmSync(sources, { recursive: true });
  });
  return join(folder, "ferretdb");
}

/** A copy of the module in `sources/ferretdb`, with our additions. */
async function copyModule(go: string, sources: string): Promise<void> {
  const { stdout } = await promisify(execFile)(go, ["list", "-m", "-f", "{{.Dir}}", MODULE], { cwd: sources });
  const internal = join(sources, "ferretdb", "internal");
  copyWritable(stdout.trim(), join(sources, "ferretdb"));
  for (const [name, folder] of Object.entries(ADDED))
    writeFileSync(join(internal, folder, name), readFileSync(join(SOURCES, "indexes", name)));
  for (const { file, line, instead } of CALLS) {
    const text = readFileSync(join(internal, file), "utf8");
    if (text.split(line).length !== 2) throw new Error(`${file} of FerretDB is not as it was`);
    writeFileSync(
      join(internal, file),
      text.replace(line, () => instead),
    );
  }
}

/** Go keeps modules read-only: the copies are not. */
function copyWritable(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyWritable(source, target);
    else writeFileSync(target, readFileSync(source));
  }
}
