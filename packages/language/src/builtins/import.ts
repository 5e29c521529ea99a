/** `import` and `scopedImport`. */
import { derivationOutputPath, FirnError, parseDerivation, storePathName } from "@firn/formats";
import { applications } from "../code/applications.ts";
import { call, type EvaluatorState, ev, evaluation, force, host } from "../code/interpret.ts";
import { compile, evaluateSource, fileCode, type Surroundings } from "../code/load.ts";
import { PerEvaluation } from "../code/per-evaluation.ts";
import { bindingScope } from "../code/scope.ts";
import { addSource } from "../code/source.ts";
import { makeList } from "../heap/list.ts";
import { allocate, heap, type Slot, type Value } from "../heap/memory.ts";
import { makeSet, shapeOf, valueAt } from "../heap/set.ts";
import { keyAt, shapeSize } from "../heap/shape.ts";
import { makeString } from "../heap/string.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import { addTable } from "../heap/tables.ts";
import { makeNativeThunk } from "../heap/thunk.ts";
import { placedPath } from "../heap/tree-root.ts";
import { parentOf } from "../syntax/path-text.ts";
import { contextOf } from "../value/context.ts";
import { addFrame } from "../value/evaluation-error.ts";
import { attrsArgument, type BuiltinTable, fail } from "./arguments.ts";
import { outputString } from "./derivation-outputs.ts";
import { importedDerivationSource, internalSource } from "./internal-sources.ts";
import { isStorePathText, realisedPath } from "./paths.ts";

/** Number of files from which an evaluation counts as long: it takes seconds rather than milliseconds. */
const longFrom = 100;

/** The results of imports in one evaluation: from paths as imported to files, from files to values. */
interface ImportCache {
  readonly resolved: Map<string, string>;
  readonly values: Map<string, Slot>;
}

const caches = new PerEvaluation<ImportCache>(
  () => ({ resolved: new Map(), values: new Map() }),
  ({ values }, marker) => {
    for (const slot of values.values()) marker.slot(slot);
  },
);

addTable({
  save(to) {
    const { resolved, values } = caches.get();
    to.texts("resolved imports", [...resolved].flat());
    to.texts("imported files", [...values.keys()]);
    to.cells("imported values", [...values.values()]);
  },
  load(from) {
    const { resolved, values } = caches.get();
    const texts = from.texts("resolved imports");
    for (let i = 0; i < texts.length; i += 2) resolved.set(texts[i]!, texts[i + 1]!);
    const slots = from.cells("imported values");
    from.texts("imported files").forEach((file, i) => {
      values.set(file, slots[i]! as Slot);
    });
    if (values.size >= longFrom) evaluation().whenLong();
  },
});

/** Forgets the results of imports, so that files are read again. */
export function resetImports(owner: EvaluatorState): void {
  caches.forget(owner);
}

/** Returns the file that `import` reads for a path: links followed, `default.nix` of a directory. */
export function resolveImportPath(path: string): string {
  const { resolved } = caches.get();
  const known = resolved.get(path);
  if (known !== undefined) return known;
  let file = path;
  const type = host().fileType(path);
  if (type === undefined) throw fail(host().whyMissing?.(path) ?? `path '${path}' does not exist`);
  if (type === "symlink") file = linkedFile(path);
  if (type === "directory" || (type === "symlink" && host().fileType(file) === "directory")) {
    file = file === "/" ? "/default.nix" : `${file}/default.nix`;
  }
  resolved.set(path, file);
  return file;
}

function linkedFile(path: string): string {
  try {
    return host().resolveSymlinks(path);
  } catch (error) {
    if (!(error instanceof FirnError) || error.code !== "symlink-loop") throw error;
    throw fail(`too many symbolic links encountered while traversing the path '${path}'`);
  }
}

export function importFile(path: string, mustBeSet = false): Value {
  const own = internalSource(path);
  const file = own === undefined ? placedPath(resolveImportPath(placedPath(path))) : path;
  const { values } = caches.get();
  const known = values.get(file);
  if (known !== undefined) return force(known);
  const thunk = makeNativeThunk(() => {
    const root =
      own === undefined
        ? fileCode(file, mustBeSet)
        : compile(addSource("internal", file, "/", own), evaluation(), null);
    try {
      return ev(root, 0);
    } catch (error) {
      throw addFrame(error, 0, `while evaluating the file '${file}':`);
    }
  });
  values.set(file, thunk);
  if (values.size === longFrom) evaluation().whenLong();
  const value = force(thunk);
  if (evaluation().applications !== undefined) applications().imported(file, value);
  return value;
}

/** Returns the values of the files that were imported. */
export function importedFiles(): ReadonlyMap<string, Slot> {
  return caches.get().values;
}

function loadFile(file: string, surroundings: Surroundings): Value {
  return evaluateSource(addSource("file", file, parentOf(file), host().readFile(file)), surroundings);
}

function importDerivation(drvPath: string): Value {
  const name = storePathName(drvPath).slice(0, -".drv".length);
  const derivation = parseDerivation(host().readDerivation(drvPath), name, host().storeDir);
  const symbols = [intern("drvPath"), intern("name")];
  const values: Slot[] = [
    makeString(drvPath, contextOf({ kind: "deep", drvPath })),
    makeString(derivation.env.get("name") ?? ""),
  ];
  const outputs: Slot[] = [];
  for (const output of derivation.outputs.keys()) {
    outputs.push(makeString(output));
    symbols.push(intern(output));
    values.push(outputString(derivationOutputPath(derivation, output, host().storeDir), drvPath, output));
  }
  symbols.push(intern("outputs"));
  values.push(makeList(outputs));
  const source = addSource("internal", "derivation", "/", importedDerivationSource);
  return call(evaluateSource(source), makeSet(symbols, values, null), 0);
}

function importBuiltin(slot: Slot): Value {
  const path = realisedPath(slot);
  if (path.endsWith(".drv") && isStorePathText(path) && host().queryPath(path) !== undefined) {
    return importDerivation(path);
  }
  return importFile(path);
}

function scopedImport(a: Slot, b: Slot): Value {
  const path = realisedPath(b);
  const attrs = attrsArgument(a, "while evaluating the first argument passed to builtins.scopedImport");
  const shape = shapeOf(attrs);
  const names = new Map<string, number>();
  const size = shapeSize(shape);
  const env = allocate((size + 2) & -2);
  for (let i = 0; i < size; i++) {
    names.set(nameOf(keyAt(shape, i)), i + 1);
    heap[env + 1 + i] = valueAt(attrs, i);
  }
  return loadFile(resolveImportPath(placedPath(path)), { scope: bindingScope(null, names), env });
}

export const importBuiltins: BuiltinTable = {
  import: { arity: 1, global: true, call: importBuiltin },
  scopedImport: { arity: 2, global: true, call: scopedImport },
};
