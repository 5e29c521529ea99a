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

/**
 * Splits at white space outside double backticks. What double backticks enclose is a word by itself, without a space before the closing ones; in it n
 * backticks, three or more, are n - 1 of them. As in the reference the beginning of a word right before double backticks is lost. Fails with `usage`.
 */
export function backtickWords(text: string): string[] {
  const words: string[] = [];
  let plain = "";
  for (let i = 0; i < text.length; ) {
    const char = text[i]!;
    if (text.startsWith("``", i)) {
      const { word, end } = quotedWord(text, i + 2);
      words.push(word);
      plain = "";
      i = end;
      continue;
    }
    if (/\s/.test(char)) {
      if (plain !== "") words.push(plain);
      plain = "";
    } else {
      requirePlain(char, plain === "");
      plain += char;
    }
    i++;
  }
  return plain === "" ? words : [...words, plain];
}

/** Reads what double backticks enclose from their end on; returns it with the place after the closing ones. */
function quotedWord(text: string, start: number): { readonly word: string; readonly end: number } {
  for (const run of text.slice(start).matchAll(/`+/g)) {
    if (run[0].length !== 2) continue;
    const end = start + run.index;
    const word = text
      .slice(start, end)
      .replace(/ $/, "")
      .replaceAll(/```+/g, (ticks) => ticks.slice(1));
    return { word, end: end + 2 };
  }
  throw new FirnError("usage", "unterminated quoted string in nix shebang");
}

/** Characters that have no meaning outside double backticks, and may get one. */
const reserved = "$*~<>|;()[]{}'\"\\";

function requirePlain(char: string, isFirst: boolean): void {
  if (char === "`") throw new FirnError("usage", "single backtick is not a supported syntax in the nix shebang.");
  if (reserved.includes(char)) {
    throw new FirnError(
      "usage",
      `unsupported unquoted character in nix shebang: ${char}. Use double backticks to escape?`,
    );
  }
  if (char === "#" && isFirst) {
    throw new FirnError("usage", "unquoted nix shebang argument cannot start with #. Use double backticks to escape?");
  }
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
