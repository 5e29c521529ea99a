/**
 * Options of a configuration as data: what is declared, what is defined and where. Works on any result of evalModules,
 * NixOS's too, because it only looks at the `options` tree.
 */
import type { Evaluation, Handle } from "@firn/flake";
import { byteStringOf, FirnError, isJsonNumber, type JsonValue, parseJson } from "@firn/formats";

/** One option of a list. */
export interface OptionEntry {
  readonly name: string;
  readonly description: string;
  readonly type: string;
}

/** A place in a file; without a line where only the file is known. */
export interface OptionPlace {
  readonly file: string;
  readonly line: number | undefined;
}

/** A value as it is printed: Nix notation, or the message of the error that evaluating it gave. */
export type ShownValue = { readonly text: string } | { readonly error: string };

/** Everything about one option. */
export interface OptionDetails {
  readonly kind: "option";
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly readOnly: boolean;
  readonly declarations: readonly OptionPlace[];
  readonly definitions: readonly OptionPlace[];
  readonly default: ShownValue | undefined;
  readonly example: ShownValue | undefined;
  /** Undefined for an option of a submodule that no definition instantiates. */
  readonly value: (ShownValue & { readonly json?: JsonValue }) | undefined;
}

/** What a name leads to: an option, a set of options, or nothing. */
export type OptionLookup =
  | OptionDetails
  | { readonly kind: "set"; readonly name: string; readonly members: readonly string[] }
  | { readonly kind: "missing" };

/**
 * The function that answers, over the `options` of a configuration. `lookup` gives { data; value?; default?; example? }:
 * `data` is plain, the others are evaluated one by one because each may fail. Options of submodules are those of an
 * instance where the configuration has one, else those of the type.
 */
const QUERY = `options:
let
  inherit (builtins) attrNames concatMap elemAt head isAttrs isString length map match substring stringLength tail tryEval;
  isOption = value: isAttrs value && value._type or null == "option";
  attempt = fallback: value: let tried = tryEval value; in if tried.success then tried.value else fallback;
  textOf = value: if value == null then "" else if isString value then value else value.text or "";
  part = name: if name == "*" || match "<.*>|[a-zA-Z_][a-zA-Z0-9_'-]*" name != null then name else builtins.toJSON name;
  show = location: builtins.concatStringsSep "." (map part location);
  typeText = option: attempt "unspecified" (option.type.description or "unspecified");
  description = option: attempt "" (textOf (option.description or null));
  below = option: attempt { } (let found = option.type.getSubOptions option.loc; in if isAttrs found then found else { });

  # Hidden options are left out, and what is below an option that shows itself only.
  walk = location: tree:
    concatMap (
      name:
      let
        value = attempt null tree.\${name};
        here = if name == "_freeformOptions" then location else location ++ [ name ];
        visible = attempt false (value.visible or true);
      in
      if name == "_module" || !isAttrs value then
        [ ]
      else if !isOption value then
        walk here value
      else if attempt false (value.internal or false) || visible == false then
        [ ]
      else
        [ { name = show (value.loc or here); description = description value; type = typeText value; } ]
        ++ (if visible == "shallow" then [ ] else walk (value.loc or here) (below value))
    ) (attrNames tree);

  placeholders = location: options:
    let
      first = firstOption options;
      rest = if first == null then [ ] else drop (length location) first.loc;
    in
    length (builtins.filter (name: name == "*" || match "<.*>" name != null) (take1 rest));
  take1 = list: if list == [ ] then [ ] else [ (head list) ];
  drop = count: list: if count == 0 || list == [ ] then list else drop (count - 1) (tail list);
  firstOption = tree:
    builtins.foldl' (found: name: if found != null then found else let value = attempt null tree.\${name}; in if isOption value then value else if isAttrs value then firstOption value else null) null (
      builtins.filter (name: name != "_module") (attrNames tree)
    );

  # Where a path leads: { option; instance } or { set; path }, null when nowhere.
  find = tree: path: location: instance:
    if path == [ ] then
      { set = tree; path = location; }
    else if !(tree ? \${head path}) then
      (if tree ? _freeformOptions then find tree._freeformOptions path location instance else null)
    else
      let
        next = tree.\${head path};
        rest = tail path;
        here = location ++ [ (head path) ];
      in
      if !isAttrs next then null else if isOption next then inside next rest here instance else find next rest here instance;
  inside = option: path: location: instance:
    if path == [ ] then
      { inherit option instance; path = location; }
    else
      let
        meta = if instance then attempt { } (option.valueMeta or { }) else { };
        direct = attempt null (meta.configuration.options or null);
        element = attempt null (meta.attrs.\${head path}.configuration.options or null);
        declared = below option;
        skipped = placeholders option.loc declared;
      in
      if direct != null then
        find direct path location true
      else if element != null then
        (if tail path == [ ] then { set = element; path = location ++ path; } else find element (tail path) (location ++ [ (head path) ]) true)
      else if declared == { } || length path < skipped then
        null
      else if length path == skipped then
        { set = declared; path = location ++ path; }
      else
        find declared (drop skipped path) (location ++ (if skipped == 0 then [ ] else [ (head path) ])) false;

  place = file: position: if file == "<unknown-file>" && position != null then { inherit (position) file line; } else { file = toString file; line = if position != null && position.file or null == toString file then position.line or null else null; };
  declared = option:
    let
      positions = option.declarationPositions or [ ];
    in
    if positions != [ ] then map (position: { file = toString position.file; line = position.line or null; }) positions else map (file: place file null) (option.declarations or [ ]);
  defined = option: map (definition: place definition.file (definition.pos or null)) (attempt [ ] (option.definitionsWithLocations or [ ]));
  literal = value: if isAttrs value && value ? _type && value ? text then { inherit (value) text; } else { inherit value; };

  details = found:
    let
      inherit (found) option;
      type = option.type or { };
      fallback =
        if option ? defaultText then
          { default = literal option.defaultText; }
        else if option ? default then
          { default = literal option.default; }
        else if (type.emptyValue or { }) ? value && type.getSubModules or null == null then
          { default.value = type.emptyValue.value; }
        else
          { };
    in
    {
      data = {
        kind = "option";
        name = show found.path;
        description = description option;
        type = typeText option;
        readOnly = option.readOnly or false;
        declarations = declared option;
        definitions = if found.instance then defined option else [ ];
      };
    }
    // fallback
    // (if option ? example then { example = literal option.example; } else { })
    // (if found.instance && option ? value then { value.value = option.value; } else { });
in
{
  all = walk [ ] options;
  lookup = path:
    let
      found = find options path [ ] true;
    in
    if found == null then
      { data.kind = "missing"; }
    else if found ? option then
      details found
    else
      { data = { kind = "set"; name = show found.path; members = builtins.filter (name: name != "_module" && name != "_freeformOptions") (attrNames found.set); }; };
}`;

/** The options of a configuration, to be asked. */
export interface OptionSet {
  /** All options that are not hidden, by name; those of submodules with placeholders such as `<name>`. */
  all(): Promise<OptionEntry[]>;
  lookup(path: readonly string[]): Promise<OptionLookup>;
}

/** Questions about the value `options` of a configuration; `fileName` says by which name a file is shown. */
export async function optionSet(
  evaluation: Evaluation,
  options: Handle,
  fileName: (file: string) => string,
): Promise<OptionSet> {
  const { client } = evaluation;
  const source = { kind: "string" as const, text: byteStringOf(QUERY), directory: "/" };
  const query = await client.request({ op: "evaluate", source });
  const answers = await client.request({ op: "call", callee: query, args: [{ handle: options }] });
  const member = async (set: Handle, name: string): Promise<Handle> => {
    const found = await evaluation.attribute(set, name);
    if (found === undefined) throw new Error(`the query has no '${name}'`);
    return found;
  };
  const json = async (value: Handle): Promise<JsonValue> =>
    parseJson(await client.request({ op: "print", value, form: { kind: "json" } }));
  const shown = async (value: Handle): Promise<ShownValue> => {
    const { text, failure } = await client.request({ op: "show", value, colors: false });
    return failure === undefined ? { text } : { error: failure.message };
  };
  const part = async (answer: Handle, name: string): Promise<ShownValue | undefined> => {
    const holder = await evaluation.attribute(answer, name);
    if (holder === undefined) return undefined;
    const text = await evaluation.attribute(holder, "text");
    if (text !== undefined) return { text: (await client.request({ op: "string", value: text })).text };
    return shown(await member(holder, "value"));
  };
  return {
    async all() {
      const list = await json(await member(answers, "all"));
      return (list as unknown as readonly ReadonlyMap<string, string>[]).map((entry) => ({
        name: entry.get("name") ?? "",
        description: entry.get("description") ?? "",
        type: entry.get("type") ?? "",
      }));
    },
    async lookup(path) {
      const callee = await member(answers, "lookup");
      const answer = await client.request({ op: "call", callee, args: [{ list: path }] });
      const data = (await json(await member(answer, "data"))) as ReadonlyMap<string, JsonValue>;
      const kind = data.get("kind");
      if (kind === "missing") return { kind };
      const name = String(data.get("name"));
      if (kind === "set") return { kind, name, members: data.get("members") as readonly string[] };
      return {
        kind: "option",
        name,
        description: String(data.get("description")),
        type: String(data.get("type")),
        readOnly: data.get("readOnly") === true,
        declarations: placesOf(data.get("declarations"), fileName),
        definitions: placesOf(data.get("definitions"), fileName),
        default: await part(answer, "default"),
        example: await part(answer, "example"),
        value: await optionValue(answer),
      };
    },
  };

  async function optionValue(answer: Handle): Promise<OptionDetails["value"]> {
    const holder = await evaluation.attribute(answer, "value");
    if (holder === undefined) return undefined;
    try {
      const value = await member(holder, "value");
      const text = await shown(value);
      if ("error" in text) return text;
      try {
        return { ...text, json: await json(value) };
      } catch (error) {
        // Functions, for one, have no JSON.
        if (error instanceof FirnError) return text;
        throw error;
      }
    } catch (error) {
      if (error instanceof FirnError) return { error: error.message };
      throw error;
    }
  }
}

function placesOf(value: JsonValue | undefined, fileName: (file: string) => string): OptionPlace[] {
  const places = (value ?? []) as unknown as readonly ReadonlyMap<string, JsonValue>[];
  return places.map((place) => {
    const line = place.get("line");
    return { file: fileName(String(place.get("file"))), line: isJsonNumber(line) ? Number(line.number) : undefined };
  });
}

/** An option's name in its parts; quoted ones may have dots. */
export function optionPath(name: string): string[] {
  return [...name.matchAll(/"((?:\\.|[^"\\])*)"|([^."]+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? "") : quoted.replace(/\\(.)/g, "$1"),
  );
}

/** Whether an entry answers a pattern: a glob over whole names when it has `*` or `?`, else words in name or description. */
export function matchesPattern(entry: OptionEntry, pattern: string): boolean {
  if (/[*?]/.test(pattern)) {
    const expression = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replace(/\*/g, ".*")
      .replace(/\?/g, ".");
    return new RegExp(`^${expression}$`, "i").test(entry.name);
  }
  const text = `${entry.name}\n${entry.description}`.toLowerCase();
  return pattern
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
