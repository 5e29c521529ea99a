/** The bundled program for benchmarks, made anew when a source is newer: figures of an old one are of another program. */
import { execFileSync } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Returns the path of `firn.mjs`. */
export function bundled(): string {
  const bundle = join(root, "dist/package/dist/firn.mjs");
  const made = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync("packages/*/src/**/*.{ts,nix}", { cwd: root });
  if (sources.some((source) => statSync(join(root, source)).mtimeMs > made)) {
    execFileSync(process.execPath, [join(root, "scripts/bundle.ts")], { stdio: "inherit" });
  }
  return bundle;
}
