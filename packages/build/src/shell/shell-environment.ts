/** A development environment: the functions and variables of a builder's shell, as JSON and as text for bash (manual: "nix print-dev-env"). */
import { FirnError, isJsonObject, type JsonValue, parseJson, printJson } from "@firn/formats";
import { rewriteText, shellQuote } from "../environment.ts";

/** A variable of the shell. */
export type ShellVariable =
  | { readonly type: "exported" | "var"; readonly value: string }
  | { readonly type: "array"; readonly value: readonly string[] }
  | { readonly type: "associative"; readonly value: ReadonlyMap<string, string> };

/** The environment in which a derivation is built. All strings are byte strings. */
export interface ShellEnvironment {
  readonly variables: ReadonlyMap<string, ShellVariable>;
  /** Bodies of functions by name. */
  readonly functions: ReadonlyMap<string, string>;
  /** The files with structured attributes, when the derivation has them. */
  readonly structuredAttributes: { readonly json: string; readonly shell: string } | undefined;
}

/** Variables that stay as the user has them. */
const userVariables: ReadonlySet<string> = new Set([
  ...["BASHOPTS", "HOME", "NIX_BUILD_TOP", "NIX_ENFORCE_PURITY", "NIX_LOG_FD", "NIX_REMOTE", "PPID", "SHELLOPTS"],
  ...["SSL_CERT_FILE", "TEMP", "TEMPDIR", "TERM", "TMP", "TMPDIR", "TZ", "UID"],
]);

/** Variables whose former value follows the environment's. */
const searchPaths = ["PATH", "XDG_DATA_DIRS"];

function bad(what: string): FirnError {
  return new FirnError("bad-environment", `the development environment ${what}`);
}

function object(value: JsonValue | undefined, what: string): ReadonlyMap<string, JsonValue> {
  if (value !== undefined && isJsonObject(value)) return value;
  throw bad(`has no ${what}`);
}

function text(value: JsonValue | undefined, what: string): string {
  if (typeof value === "string") return value;
  throw bad(`has ${what} that is no text`);
}

/** Reads an environment that `nix develop` or {@link printShellEnvironment} wrote. Fails with `bad-json` or `bad-environment`. */
export function parseShellEnvironment(json: string): ShellEnvironment {
  const root = object(parseJson(json), "attributes");
  const variables = new Map<string, ShellVariable>();
  for (const [name, entry] of object(root.get("variables"), "variables")) {
    const fields = object(entry, `variable '${name}'`);
    const value = fields.get("value");
    const type = fields.get("type");
    switch (type) {
      case "exported":
      case "var":
        variables.set(name, { type, value: text(value, `variable '${name}'`) });
        break;
      case "array":
        if (!Array.isArray(value)) throw bad(`has a list '${name}' that is none`);
        variables.set(name, { type, value: value.map((item: JsonValue) => text(item, `an element of '${name}'`)) });
        break;
      case "associative": {
        const members = [...object(value, `table '${name}'`)];
        const value_ = new Map(members.map(([key, member]) => [key, text(member, `a member of '${name}'`)]));
        variables.set(name, { type, value: value_ });
      }
    }
  }
  const functions = new Map<string, string>();
  for (const [name, body] of object(root.get("bashFunctions"), "functions")) {
    functions.set(name, text(body, `function '${name}'`));
  }
  const structured = root.get("structuredAttrs");
  if (structured === undefined) return { variables, functions, structuredAttributes: undefined };
  const files = object(structured, "structured attributes");
  return {
    variables,
    functions,
    structuredAttributes: {
      json: text(files.get(".attrs.json"), "'.attrs.json'"),
      shell: text(files.get(".attrs.sh"), "'.attrs.sh'"),
    },
  };
}

/** Prints an environment as JSON, with sorted names. */
export function printShellEnvironment(environment: ShellEnvironment): string {
  const { variables, functions, structuredAttributes: structured } = environment;
  const root = new Map<string, JsonValue>([["bashFunctions", sorted(functions)]]);
  if (structured !== undefined) {
    const files: readonly (readonly [string, JsonValue])[] = [
      [".attrs.json", structured.json],
      [".attrs.sh", structured.shell],
    ];
    root.set("structuredAttrs", new Map(files));
  }
  const printed = new Map<string, JsonValue>();
  for (const [name, { type, value }] of variables) {
    const shown = typeof value === "string" || "length" in value ? value : sorted(value);
    printed.set(
      name,
      new Map<string, JsonValue>([
        ["type", type],
        ["value", shown],
      ]),
    );
  }
  root.set("variables", sorted(printed));
  return printJson(root);
}

function sorted<Value>(map: ReadonlyMap<string, Value>): Map<string, Value> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Options of the text for bash. */
export interface ShellTextOptions {
  /** Directory below which the outputs of the derivation seem to be. */
  readonly outputsDirectory: string;
  /** Paths to replace everywhere, beside those of the outputs. */
  readonly rewrites?: ReadonlyMap<string, string>;
  /** Directory into which the caller has put the files with structured attributes. */
  readonly attributesDirectory?: string;
}

/** Returns text that sets the environment up when bash reads it, then runs `shellHook`. */
export function shellText(environment: ShellEnvironment, options: ShellTextOptions): string {
  const lines = ["unset shellHook"];
  for (const name of searchPaths) lines.push(`${name}=\${${name}:-}`, `nix_saved_${name}="$${name}"`);
  for (const [name, variable] of sorted(withAttributeFiles(environment.variables, options.attributesDirectory))) {
    if (!userVariables.has(name)) lines.push(...declarations(name, variable));
  }
  for (const [name, body] of sorted(environment.functions)) lines.push(`${name} ()\n{\n${body}}`);
  for (const name of searchPaths) lines.push(`${name}="$${name}\${nix_saved_${name}:+:$nix_saved_${name}}"`);
  lines.push('export NIX_BUILD_TOP="$(mktemp -d -t nix-shell.XXXXXX)"');
  for (const name of ["TMP", "TMPDIR", "TEMP", "TEMPDIR"]) lines.push(`export ${name}="$NIX_BUILD_TOP"`);
  lines.push(`eval "\${shellHook:-}"`);
  const rewrites = new Map(options.rewrites);
  for (const [output, path] of outputPaths(environment)) rewrites.set(path, `${options.outputsDirectory}/${output}`);
  return rewriteText(`${lines.join("\n")}\n`, rewrites);
}

/** Returns the outputs of the environment's derivation by name. */
export function outputPaths({ variables }: ShellEnvironment): Map<string, string> {
  const outputs = variables.get("outputs");
  if (outputs === undefined) return new Map();
  if (outputs.type === "associative") return new Map(outputs.value);
  const names = outputs.type === "array" ? outputs.value : outputs.value.split(/[ \t\n]+/);
  const paths = new Map<string, string>();
  for (const name of names) {
    const variable = variables.get(name);
    if (variable !== undefined && typeof variable.value === "string") paths.set(name, variable.value);
  }
  return paths;
}

function withAttributeFiles(
  variables: ReadonlyMap<string, ShellVariable>,
  directory: string | undefined,
): ReadonlyMap<string, ShellVariable> {
  if (directory === undefined) return variables;
  return new Map([
    ...variables,
    ["NIX_ATTRS_JSON_FILE", { type: "exported", value: `${directory}/.attrs.json` }],
    ["NIX_ATTRS_SH_FILE", { type: "exported", value: `${directory}/.attrs.sh` }],
  ]);
}

function declarations(name: string, variable: ShellVariable): string[] {
  switch (variable.type) {
    case "exported":
      return [`${name}=${shellQuote(variable.value)}`, `export ${name}`];
    case "var":
      return [`${name}=${shellQuote(variable.value)}`];
    case "array":
      return [`declare -a ${name}=(${variable.value.map((item) => `${shellQuote(item)} `).join("")})`];
    case "associative": {
      const members = [...sorted(variable.value)].map(([key, value]) => `[${shellQuote(key)}]=${shellQuote(value)} `);
      return [`declare -A ${name}=(${members.join("")})`];
    }
  }
}
