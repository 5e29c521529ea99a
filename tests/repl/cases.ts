/** Transcripts of the repl: how they are read and written. All texts are byte strings. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Settings of both sides. */
export const replConfig =
  "experimental-features = nix-command flakes\nsubstituters =\nflake-registry =\nbuild-users-group =\n";

/** What goes in: standard input and the command line after the program's name. */
export interface ReplCase {
  readonly input: string;
  readonly args: readonly string[];
}

const commands = new Set(["repl", "eval"]);

/** Reads a case by its name; `@directory@` in its arguments is where it runs. */
export function readCase(root: string, name: string, directory: string): ReplCase {
  const file = join(root, `${name}.args`);
  const given = existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => line.replaceAll("@directory@", directory))
    : [];
  const args = commands.has(given[0] ?? "") ? given : ["repl", ...given];
  return { input: readFileSync(join(root, `${name}.in`), "latin1"), args };
}

/** What came out, as one text that does not depend on where it ran. */
export function formatTranscript(run: {
  readonly out: string;
  readonly err: string;
  readonly code: number;
  readonly directory: string;
}): string {
  const { out, err, code, directory } = run;
  return `${out}\n--- stderr\n${err}--- exit ${code}\n`
    .replaceAll(directory, "/cases")
    .replaceAll(/got build log for '([^']*)' from '[^']*'/g, "got build log for '$1' from the store");
}
