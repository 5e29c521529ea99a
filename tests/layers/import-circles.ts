/** Circles among the imports of a package's files, imports of types and those at run time included. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

function importsOf(file: string): string[] {
  const found: string[] = [];
  for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]*)"/g)) {
    const target = resolve(dirname(file), specifier);
    if (existsSync(target)) found.push(target);
  }
  return found;
}

/**
 * The groups of files below `directory` that import each other in a circle, each sorted, by paths relative to it. Tests are left out.
 * The table of commands names every command, and no command names the table.
 */
export function importCircles(directory: string): string[][] {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.includes("node_modules"))
    .map((name) => join(directory, name));
  const edges = new Map(files.map((file) => [file, importsOf(file)]));
  const indices = new Map<string, number>();
  const lows = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  // Tarjan's algorithm for strongly connected components.
  const visit = (file: string): void => {
    indices.set(file, indices.size);
    lows.set(file, indices.get(file)!);
    stack.push(file);
    for (const next of edges.get(file) ?? []) {
      if (!indices.has(next)) {
        if (!edges.has(next)) continue;
        visit(next);
        lows.set(file, Math.min(lows.get(file)!, lows.get(next)!));
      } else if (stack.includes(next)) lows.set(file, Math.min(lows.get(file)!, indices.get(next)!));
    }
    if (lows.get(file) !== indices.get(file)) return;
    const members = stack.splice(stack.indexOf(file));
    if (members.length > 1 || edges.get(file)?.includes(file) === true)
      circles.push(members.map((member) => relative(directory, member)).sort());
  };
  for (const file of files) if (!indices.has(file)) visit(file);
  return circles.sort();
}
