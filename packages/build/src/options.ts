/** Options of a build that its derivation sets, in its environment or its structured attributes (manual: "Advanced Attributes"). */
import {
  type Derivation,
  derivationStorePath,
  FirnError,
  isJsonNumber,
  isJsonObject,
  isStorePath,
  type JsonValue,
  parseJson,
  splitStorePath,
  structuredAttrsVariable,
  traced,
} from "@firn/formats";

/** Rules for the references of an output; entries are store paths or names of outputs. */
export interface OutputChecks {
  readonly allowedReferences?: readonly string[];
  readonly allowedRequisites?: readonly string[];
  readonly disallowedReferences?: readonly string[];
  readonly disallowedRequisites?: readonly string[];
  readonly maxSize?: number;
  readonly maxClosureSize?: number;
  readonly ignoreSelfRefs: boolean;
}

/** Options of one derivation. */
export interface BuildOptions {
  /** Structured attributes, when the derivation has them. */
  readonly structured: ReadonlyMap<string, JsonValue> | undefined;
  /** Returns the checks for an output. */
  readonly checksFor: (output: string) => OutputChecks | undefined;
  readonly discardsReferences: (output: string) => boolean;
  readonly passAsFile: ReadonlySet<string>;
  readonly exportReferencesGraph: ReadonlyMap<string, readonly string[]>;
  readonly impureEnvVars: readonly string[];
  readonly noChroot: boolean;
  readonly preferLocalBuild: boolean;
  readonly allowSubstitutes: boolean;
  readonly requiredSystemFeatures: readonly string[];
}

function words(text: string | undefined): string[] {
  return (text ?? "").split(/[ \t\n\r]+/).filter((word) => word !== "");
}

function stringList(value: JsonValue | undefined, what: string): string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw new FirnError("bad-attribute", `attribute '${what}' must be a list of strings`);
  return value.map((item: JsonValue) => {
    if (typeof item !== "string") throw new FirnError("bad-attribute", `attribute '${what}' must be a list of strings`);
    return item;
  });
}

function size(value: JsonValue | undefined): number | undefined {
  return isJsonNumber(value) ? Number(value.number) : undefined;
}

function flatten(value: JsonValue, into: Set<string>): void {
  if (typeof value === "string") into.add(value);
  else if (Array.isArray(value)) for (const item of value) flatten(item, into);
  else throw new FirnError("bad-attribute", "'exportReferencesGraph' value is not an array or a string");
}

/** Reads the options of a derivation. Error `bad-attribute`. */
export function readBuildOptions(derivation: Derivation, storeDir: string): BuildOptions {
  try {
    return optionsOf(derivation, storeDir);
  } catch (error) {
    if (!(error instanceof FirnError) || error.code !== "bad-attribute") throw error;
    throw traced(error, `while parsing derivation '${derivationStorePath(derivation, storeDir).path}'`);
  }
}

function optionsOf(derivation: Derivation, storeDir: string): BuildOptions {
  const { env } = derivation;
  const text = env.get(structuredAttrsVariable);
  const parsed = text === undefined ? undefined : parseJson(text);
  const structured = isJsonObject(parsed) ? parsed : undefined;
  const flag = (name: string, initial: boolean): boolean => {
    if (structured !== undefined) {
      const value = structured.get(name);
      return typeof value === "boolean" ? value : initial;
    }
    const value = env.get(name);
    return value === undefined ? initial : value === "1";
  };
  const list = (name: string): string[] | undefined => {
    if (structured !== undefined) return stringList(structured.get(name), name);
    const value = env.get(name);
    return value === undefined ? undefined : words(value);
  };
  return {
    structured,
    checksFor: structured === undefined ? plainChecks(env) : structuredChecks(structured),
    discardsReferences: (output) => {
      const table = structured?.get("unsafeDiscardReferences");
      return isJsonObject(table) && table.get(output) === true;
    },
    passAsFile: new Set(structured === undefined ? words(env.get("passAsFile")) : []),
    exportReferencesGraph: exportedGraphs(derivation, structured, storeDir),
    impureEnvVars: list("impureEnvVars") ?? [],
    noChroot: flag("__noChroot", false),
    preferLocalBuild: flag("preferLocalBuild", false),
    allowSubstitutes: flag("allowSubstitutes", true),
    requiredSystemFeatures: [...new Set(list("requiredSystemFeatures") ?? [])].sort(),
  };
}

function plainChecks(env: ReadonlyMap<string, string>): BuildOptions["checksFor"] {
  const get = (name: string): readonly string[] | undefined => (env.has(name) ? words(env.get(name)) : undefined);
  const checks = fields({
    allowedReferences: get("allowedReferences"),
    allowedRequisites: get("allowedRequisites"),
    disallowedReferences: get("disallowedReferences"),
    disallowedRequisites: get("disallowedRequisites"),
  });
  return () => ({ ...checks, ignoreSelfRefs: true });
}

function structuredChecks(structured: ReadonlyMap<string, JsonValue>): BuildOptions["checksFor"] {
  const table = structured.get("outputChecks");
  return (output) => {
    const members = isJsonObject(table) ? table.get(output) : undefined;
    if (!isJsonObject(members)) return undefined;
    const get = (name: string): string[] | undefined =>
      stringList(members.get(name), `outputChecks."${output}".${name}`);
    return {
      ...fields({
        allowedReferences: get("allowedReferences"),
        allowedRequisites: get("allowedRequisites"),
        disallowedReferences: get("disallowedReferences"),
        disallowedRequisites: get("disallowedRequisites"),
        maxSize: size(members.get("maxSize")),
        maxClosureSize: size(members.get("maxClosureSize")),
      }),
      ignoreSelfRefs: false,
    };
  };
}

type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function fields<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}

function exportedGraphs(
  derivation: Derivation,
  structured: ReadonlyMap<string, JsonValue> | undefined,
  storeDir: string,
): Map<string, readonly string[]> {
  const graphs = new Map<string, readonly string[]>();
  const resolve = (path: string): string => splitStorePath(path, storeDir).storePath;
  if (structured !== undefined) {
    const table = structured.get("exportReferencesGraph");
    if (!isJsonObject(table)) return graphs;
    for (const [name, value] of table) {
      const paths = new Set<string>();
      flatten(value, paths);
      graphs.set(name, [...paths].sort().map(resolve));
    }
    return graphs;
  }
  const text = derivation.env.get("exportReferencesGraph") ?? "";
  const tokens = words(text);
  if (tokens.length % 2 !== 0) {
    throw new FirnError("bad-attribute", `odd number of tokens in 'exportReferencesGraph': '${text}'`);
  }
  for (let i = 0; i < tokens.length; i += 2) {
    const [name, path] = [tokens[i]!, tokens[i + 1]!];
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) {
      throw new FirnError("bad-attribute", `invalid file name '${name}' in 'exportReferencesGraph'`);
    }
    if (!path.startsWith(`${storeDir}/`) && !isStorePath(path, storeDir)) {
      throw new FirnError("bad-attribute", `'exportReferencesGraph' contains a non-store path '${path}'`);
    }
    graphs.set(name, [resolve(path)]);
  }
  return graphs;
}
