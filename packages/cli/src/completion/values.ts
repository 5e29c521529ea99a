/** Completions of arguments by their kind: files, flakes and their attributes and inputs, settings, names of formats. */
import { resolve } from "node:path";
import { loadFlake, parseFlakeRef, splitFragment, type ValueRef } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { entriesIn, hasErrorCode } from "@firn/store";
import { settingNames } from "@firn/store/setting-names";
import type { ArgumentKind, Command } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import { parseArguments } from "../grammar/parse.ts";
import { settingFlagsFor } from "../grammar/setting-flags.ts";
import type { Io } from "../io.ts";
import { logFormatNames } from "../render/log-format.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** Completions of one word; each value has a description, which may be empty. */
export interface Completions {
  readonly type: "normal" | "filenames" | "attrs";
  readonly values: readonly (readonly [value: string, description: string])[];
}

/** An argument to complete. */
export interface Incomplete {
  readonly kind: ArgumentKind;
  readonly prefix: string;
  readonly command: Command;
  /** The words before it without those of an unfinished flag, and the positional arguments among them. */
  readonly words: readonly string[];
  readonly positionals: readonly string[];
  readonly io: Io;
}

const plain: Partial<Record<ArgumentKind, readonly string[]>> = {
  "hash-algorithm": ["blake3", "md5", "sha1", "sha256", "sha512"],
  "hash-format": ["base16", "base64", "nix32", "sri"],
  "log-format": logFormatNames,
};

/** Returns the completions of an argument. Fails as evaluating and locking do. */
export async function completeValue(wanted: Incomplete): Promise<Completions> {
  const { kind, prefix, io } = wanted;
  switch (kind) {
    case "path":
    case "profile":
      return files(prefix, io, false);
    case "directory":
      return files(prefix, io, true);
    case "setting": {
      const names = settingNames().filter((name) => name.startsWith(prefix));
      return { type: "normal", values: names.map((name) => [name, `Set the \`${name}\` setting`]) };
    }
    case "installable":
      if (await namesRoot(wanted)) return attributesOfRoot(wanted);
      return prefix.includes("#") ? attributesOfFlake(wanted) : flakes(wanted);
    case "attribute-path":
      return attributesOfRoot(wanted);
    case "flake":
      return flakes(wanted);
    case "flake-input":
      return inputs(wanted);
    case "hash-algorithm":
    case "hash-format":
    case "log-format":
      return named((plain[kind] ?? []).filter((name) => name.startsWith(prefix)));
    case "store":
    case "store-path":
    case "setting-value":
    case "system":
    case "program":
    case "command":
    case "text":
      return named([]);
  }
}

function named(values: readonly string[], type: Completions["type"] = "normal"): Completions {
  return { type, values: values.map((value) => [value, ""]) };
}

/** Returns the files, or only the directories, that begin with a prefix. */
function files(prefix: string, io: Io, onlyDirectories: boolean): Completions {
  const start = prefix.lastIndexOf("/") + 1;
  const directory = prefix.slice(0, start);
  const begin = prefix.slice(start);
  try {
    const entries = entriesIn(resolve(io.cwd, directory));
    const matching = entries.filter(
      ({ name, kind }) =>
        name.startsWith(begin) &&
        (begin !== "" || !name.startsWith(".")) &&
        (!onlyDirectories || kind === "directory" || kind === "symlink"),
    );
    return named(
      matching.map(({ name }) => `${directory}${name}`),
      "filenames",
    );
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].some((code) => hasErrorCode(error, code))) return named([], "filenames");
    throw error;
  }
}

/** Returns directories and the names of registries. */
async function flakes(wanted: Incomplete): Promise<Completions> {
  const { prefix, io } = wanted;
  const found = files(prefix, io, true);
  if (prefix.includes("/") || prefix.startsWith(".") || prefix === "") return found;
  const ids = await evaluated(wanted, async (session) => {
    const { context } = await session.evaluation();
    const entries = (await context.registries.all()).flatMap((registry) => registry.entries);
    return entries.map(({ from }) => from.get("id")).filter((id) => typeof id === "string");
  });
  const matching = ids.filter((id) => id.startsWith(prefix));
  return { type: "filenames", values: [...found.values, ...named(matching).values] };
}

/** Returns the attributes of a flake's outputs that continue a fragment. */
async function attributesOfFlake(wanted: Incomplete): Promise<Completions> {
  const { prefix, io } = wanted;
  const [text] = splitFragment(prefix);
  const fragment = prefix.slice(text.length + 1);
  const names = await attributesIn(wanted, async (session) => {
    const evaluation = await session.evaluation({ lock: { write: false, warn: () => undefined } });
    const ref = parseFlakeRef(text === "" ? "." : expandedHome(text, io), { baseDirectory: io.cwd });
    const { value } = await evaluation.flake(ref, { applyConfig: false });
    const outputs = (await value.attribute("outputs")) ?? value;
    const found: string[] = [];
    for (const place of [`packages.${session.system}.`, `legacyPackages.${session.system}.`, ""]) {
      found.push(...(await continued(outputs, place, fragment)));
    }
    return found;
  });
  return named(
    names.map((name) => `${text}#${name}`),
    "attrs",
  );
}

/** Does the work of `evaluated` for names of attributes; there are none where the evaluation fails. */
async function attributesIn(wanted: Incomplete, body: Parameters<typeof evaluated>[1]): Promise<readonly string[]> {
  try {
    return await evaluated(wanted, body);
  } catch (error) {
    if (error instanceof FirnError) return [];
    throw error;
  }
}

/** Returns the attribute paths of the file or expression on the command line that continue a prefix. */
async function attributesOfRoot(wanted: Incomplete): Promise<Completions> {
  const names = await attributesIn(wanted, async (session) => {
    const root = await session.installables.rootValue();
    return root === undefined ? [] : continued(root, "", wanted.prefix);
  });
  return named(names, "attrs");
}

/** Returns the attribute paths in a value at a place that continue a prefix; the place is not part of them. */
async function continued(value: ValueRef, place: string, prefix: string): Promise<string[]> {
  const start = prefix.lastIndexOf(".") + 1;
  const path = `${place}${prefix.slice(0, start)}`.split(".").filter((name) => name !== "");
  const parent = await value.attributeAlong(path);
  const names = (await parent?.attributeNames()) ?? [];
  const begin = prefix.slice(start);
  return names.filter((name) => name.startsWith(begin)).map((name) => `${prefix.slice(0, start)}${name}`);
}

/** Returns a word whose `~/` the shell has not replaced yet with the home directory in its place. */
function expandedHome(word: string, io: Io): string {
  return word.startsWith("~/") ? `${io.env.HOME ?? ""}${word.slice(1)}` : word;
}

/** Returns the inputs of the flakes on the command line. */
async function inputs(wanted: Incomplete): Promise<Completions> {
  const { positionals, prefix, io } = wanted;
  const isUpdate = wanted.command.positionals[0]?.kind === "flake-input";
  const { flags } = await invocationOf(wanted);
  const flag = flags.value("flake");
  const given = flag !== undefined ? [flag] : isUpdate ? [] : positionals;
  const words = given.length === 0 ? ["."] : given;
  const names = await evaluated(wanted, async (session) => {
    const { context } = await session.evaluation();
    const found: string[] = [];
    for (const word of words) {
      const [text] = splitFragment(expandedHome(word, io));
      const ref = parseFlakeRef(text === "" ? "." : text, { baseDirectory: io.cwd });
      found.push(...(await loadFlake(context, ref, { registries: "all" })).inputs.keys());
    }
    return found;
  });
  return named(names.filter((name) => name.startsWith(prefix)));
}

/** Returns the command line so far; it may lack arguments. */
async function invocationOf({ command, words }: Incomplete): Promise<Invocation> {
  const lenient: Command = { ...command, positionals: [{ label: "words", optional: true, repeats: true }] };
  const settingFlags = await settingFlagsFor(words);
  return parseArguments(lenient, { program: "firn", mainProgram: "firn", words, settingFlags });
}

/** Tells whether installables are attribute paths of a file or an expression. */
async function namesRoot(wanted: Incomplete): Promise<boolean> {
  const { flags } = await invocationOf(wanted);
  return flags.has("file") || flags.has("expr");
}

/** Runs work in an evaluation with the flags that were given so far. */
async function evaluated(
  wanted: Incomplete,
  work: (session: EvaluationSession) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  let found: readonly string[] = [];
  await withEvaluation(await invocationOf(wanted), wanted.io, {
    needs: { readOnly: true },
    async body(session) {
      found = await work(session);
      return 0;
    },
  });
  return found;
}
