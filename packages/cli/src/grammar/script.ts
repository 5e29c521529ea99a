/** Scripts that name this program as their interpreter: their `#!` lines hold its arguments (manual: "nix", "Shebang interpreter"; "nix-shell"). */
import { dirname, resolve } from "node:path";
import { FirnError } from "@firn/formats/base";
import { readFileSync } from "@firn/store/files";

/** A script on a command line. */
export interface Script {
  /** Its path as it was given. */
  readonly path: string;
  /** Its directory, from which relative paths in its `#!` lines start. */
  readonly directory: string;
  /** The words of its `#!` lines. */
  readonly words: readonly string[];
  /** The words that follow it on the command line. */
  readonly args: readonly string[];
}

/** Characters that begin the lines of comments among which `#! nix` lines are looked for. */
const commentCharacters = "#/\\%@*-(";

/** Returns the script that the words of `nix` begin with; undefined when they begin with none. Fails with `usage` for unclosed quotes. */
export function nixScript(words: readonly string[], cwd: string): Script | undefined {
  return scriptOf(words, cwd, (lines) => {
    let text = "";
    for (const line of lines) {
      if (line === "" || !commentCharacters.includes(line[0]!)) break;
      const found = /^#!\s*nix\s(.*)$/.exec(line);
      if (found !== null) text += `${found[1]}\n`;
    }
    return text === "" ? undefined : backtickWords(text);
  });
}

/** Returns the script that the words of `nix-shell` begin with; undefined when they begin with none. Fails with `usage` for unclosed quotes. */
export function nixShellScript(words: readonly string[], cwd: string): Script | undefined {
  return scriptOf(words, cwd, (lines) =>
    lines.flatMap((line) => {
      const found = /^#!\s*nix-shell\s+(.*)$/.exec(line);
      return found === null ? [] : shellWords(found[1]!);
    }),
  );
}

function scriptOf(
  [path, ...args]: readonly string[],
  cwd: string,
  read: (lines: readonly string[]) => readonly string[] | undefined,
): Script | undefined {
  if (path === undefined || path.startsWith("-")) return undefined;
  const lines = linesOf(resolve(cwd, path));
  if (lines?.[0]?.startsWith("#!") !== true) return undefined;
  const words = read(lines);
  return words === undefined ? undefined : { path, directory: dirname(resolve(cwd, path)), words, args };
}

function linesOf(path: string): string[] | undefined {
  try {
    return readFileSync(path, "latin1")
      .split("\n")
      .map((line) => line.trimEnd());
  } catch (error) {
    // Whatever it is, it is no script: the command line tells what is wrong with it.
    if (error instanceof FirnError || (error instanceof Error && "syscall" in error)) return undefined;
    throw error;
  }
}

/** Splits at white space outside double backticks; n backticks, three or more, are n - 1 of them. */
export function backtickWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quoted = false;
  for (let i = 0; i < text.length; ) {
    const ticks = /^`*/.exec(text.slice(i))![0].length;
    if (ticks >= 3) {
      word = (word ?? "") + "`".repeat(ticks - 1);
      i += ticks;
    } else if (ticks === 2) {
      if (quoted && word?.endsWith(" ") === true) word = word.slice(0, -1);
      quoted = !quoted;
      word ??= "";
      i += 2;
    } else if (!quoted && /\s/.test(text[i]!)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      i++;
    } else {
      word = (word ?? "") + text[i]!;
      i++;
    }
  }
  if (quoted) throw new FirnError("usage", "unterminated verbatim string in shebang");
  return word === undefined ? words : [...words, word];
}

/** Splits as a shell does: quotes and backslashes, without expansions. */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote !== "" && char === quote) quote = "";
    else if (quote === "'") word = (word ?? "") + char;
    else if (char === "\\" && i + 1 < text.length) word = (word ?? "") + text[++i]!;
    else if (quote !== "") word = (word ?? "") + char;
    else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (quote !== "") throw new FirnError("usage", "unterminated string in shebang");
  return word === undefined ? words : [...words, word];
}
