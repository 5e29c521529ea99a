/** Identity of this build of Firn, as far as it determines what evaluations answer. */
import { hash } from "node:crypto";
import { dirname, join } from "node:path";
import * as fs from "@firn/store/files";
import { pathOfFileUrl } from "@firn/store/surroundings";

/** Packages whose sources determine answers, in a checkout. */
const packages = ["formats", "language", "store", "build", "fetch", "flake"];

function sourcesIn(directory: string): string[] {
  return fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sourcesIn(path);
    return entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

/** Returns a text that is another one for every other build: of the state of the program's files. */
export function buildIdentity(): string {
  const here = pathOfFileUrl(import.meta.url);
  const inCheckout = here.endsWith(".ts");
  const root = join(dirname(here), "../../..");
  const files = inCheckout ? packages.flatMap((name) => sourcesIn(join(root, name, "src"))) : [here];
  const states = files.map((file) => {
    const { ino, size, mtimeMs } = fs.statSync(file);
    return `${file} ${ino} ${size} ${mtimeMs}`;
  });
  return hash("sha256", states.join("\n"), "hex");
}
