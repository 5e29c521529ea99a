/**
 * Options of a configuration as data: their declarations, definitions and values. Works on any result of evalModules, NixOS's
 * too, because it only reads the `options` tree.
 */

import type { Evaluator, ValueRef } from "@firn/flake";
import { FirnError, isJsonNumber, type JsonValue, parseJson } from "@firn/formats";
import { readFileSync } from "@firn/store/files";

/** One option of a list. */
export interface OptionEntry {
  readonly name: string;
  readonly description: string;
  readonly type: string;
}

/** A place in a file; without a line when only the file is known. */
export interface OptionPlace {
  readonly file: string;
  readonly line: number | undefined;
}

/** A printed value: Nix notation, or the message of the error that its evaluation threw. */
export type OptionValue = { readonly text: string } | { readonly error: string };

/** Everything about one option. */
export interface OptionDetails {
  readonly kind: "option";
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly readOnly: boolean;
  readonly declarations: readonly OptionPlace[];
  readonly definitions: readonly OptionPlace[];
  readonly default: OptionValue | undefined;
  readonly example: OptionValue | undefined;
  /** The value; undefined for an option of a submodule that no definition instantiates. */
  readonly value: (OptionValue & { readonly json?: JsonValue }) | undefined;
}

/** The result of looking a name up: an option, a set of options, or nothing. */
export type OptionLookup =
  | OptionDetails
  | { readonly kind: "set"; readonly name: string; readonly members: readonly string[] }
  | { readonly kind: "missing" };

/** The options of a configuration, as queries. */
export interface OptionSet {
  /** Returns all options that are not hidden, by name; those of submodules have placeholders such as `<name>`. */
  all(): Promise<OptionEntry[]>;
  lookup(path: readonly string[]): Promise<OptionLookup>;
}

/** Makes an option set of the value `options` of a configuration; `fileName` returns the name by which a file is shown. */
export async function optionSet(
  evaluator: Evaluator,
  options: ValueRef,
  fileName: (file: string) => string,
): Promise<OptionSet> {
  const text = readFileSync(new URL("./options.nix", import.meta.url), "latin1");
  const query = await evaluator.evaluate({ kind: "string", text, directory: "/" });
  const answers = await query.call(options);
  const member = async (set: ValueRef, name: string): Promise<ValueRef> => {
    const found = await set.attribute(name);
    if (found === undefined) throw new Error(`the query has no '${name}'`);
    return found;
  };
  const json = async (value: ValueRef): Promise<JsonValue> => parseJson(await value.print({ kind: "json" }));
  const shown = async (value: ValueRef): Promise<OptionValue> => {
    const { text, error } = await value.show({ colors: false });
    return error === undefined ? { text } : { error: error.message };
  };
  const part = async (answer: ValueRef, name: string): Promise<OptionValue | undefined> => {
    const holder = await answer.attribute(name);
    if (holder === undefined) return undefined;
    const text = await holder.attribute("text");
    if (text !== undefined) return { text: (await text.string()).text };
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
      const answer = await callee.call({ list: path });
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

  async function optionValue(answer: ValueRef): Promise<OptionDetails["value"]> {
    const holder = await answer.attribute("value");
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

/** Splits an option's name into its parts; quoted parts may contain dots. */
export function optionPath(name: string): string[] {
  return [...name.matchAll(/"((?:\\.|[^"\\])*)"|([^."]+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? "") : quoted.replace(/\\(.)/g, "$1"),
  );
}

/** Tells whether an entry matches a pattern: a glob over whole names when it has `*` or `?`, else words in name or description. */
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
