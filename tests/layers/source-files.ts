/** The source files that the rules of this directory look at. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** A source file by its path in its tree. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/** Lists the TypeScript files below a directory of a tree, sorted; those of tests only when `tests` asks for them. */
export function sourceFiles(tree: string, directory = "packages", { tests = false } = {}): SourceFile[] {
  return readdirSync(join(tree, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && (tests || !entry.name.endsWith(".test.ts")))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes("/node_modules/"))
    .sort()
    .map((file) => ({ file: relative(tree, file), text: readFileSync(file, "utf8") }));
}
