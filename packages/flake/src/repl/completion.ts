/** Completions of a line of the repl. */

import { resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { machineError } from "@firn/store";
import { readdirSync } from "@firn/store/files";
import { replCommandWords } from "./command.ts";
import type { Repl } from "./repl.ts";

/** Completions of the end of a line; each of them replaces the text `replaced`. */
export interface Completions {
  readonly replaced: string;
  readonly candidates: readonly string[];
}

const plainName = /^[a-zA-Z_][a-zA-Z0-9_'-]*$/;

/** Completes a line: commands after `:`, paths, attributes after a dot, variables. Texts are ordinary ones. */
export async function completeLine(
  repl: Repl,
  line: string,
  options: { readonly directory: string; readonly debugging: boolean },
): Promise<Completions> {
  if (/^:\S*$/.test(line)) {
    return { replaced: line, candidates: startingWith(replCommandWords(options.debugging), line) };
  }
  const word = /[^ \n\r\t(){}[\]]*$/.exec(line)?.[0] ?? "";
  const slash = word.lastIndexOf("/");
  if (slash >= 0) return { replaced: word, candidates: pathsLike(word, slash, options.directory) };
  const dot = word.lastIndexOf(".");
  if (dot < 0) {
    const names = await repl.variableNames();
    return { replaced: word, candidates: startingWith(names, word).sort() };
  }
  const base = word.slice(0, dot);
  const names = (await attributeNames(repl, base)).map((name) => {
    return plainName.test(name) ? name : `"${name.replace(/["\\$]/g, "\\$&")}"`;
  });
  const candidates = startingWith(names, word.slice(dot + 1)).map((name) => `${base}.${name}`);
  return { replaced: word, candidates };
}

function startingWith(names: readonly string[], start: string): string[] {
  return names.filter((name) => name.startsWith(start));
}

function pathsLike(word: string, slash: number, directory: string): string[] {
  const parent = word.slice(0, slash);
  const start = word.slice(slash + 1);
  try {
    return readdirSync(resolve(directory, parent === "" ? "/" : parent))
      .filter((name) => !name.startsWith(".") && name.startsWith(start))
      .sort()
      .map((name) => `${parent}/${name}`);
  } catch (error) {
    // A directory that cannot be read has nothing to offer.
    if (machineError(error) === undefined) throw error;
    return [];
  }
}

async function attributeNames(repl: Repl, expression: string): Promise<readonly string[]> {
  try {
    return await repl.attributeNames(expression);
  } catch (error) {
    // What cannot be evaluated has no attributes yet.
    if (error instanceof FirnError) return [];
    throw error;
  }
}
