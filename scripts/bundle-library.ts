/** Makes the library part of the published package: the packages' pure entries as JavaScript, and the types of what they reach. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "rolldown";

/** Subpath of the package → the source of its entry, below `packages`. */
const entries = {
  formats: "formats/src/index.ts",
  language: "language/src/index.ts",
  flake: "flake/src/library/index.ts",
} as const;

const typesOf = (source: string): string => source.replace("/src/", "/").replace(/\.ts$/, ".d.ts");

/** The `exports` of the package's manifest. */
export const libraryExports = Object.fromEntries(
  Object.entries(entries).map(([name, source]) => [
    `./${name}`,
    { types: `./types/${typesOf(source)}`, default: `./library/${name}.js` },
  ]),
);

/** Writes `library` and `types` into the package's directory. Fails when the sources do not compile, or an entry needs Node.js. */
export async function buildLibrary(root: string, target: string): Promise<void> {
  await build({
    input: Object.fromEntries(Object.entries(entries).map(([name, source]) => [name, join(root, "packages", source)])),
    platform: "neutral",
    tsconfig: false,
    transform: {
      typescript: { removeClassFieldsWithoutInitializer: true },
      assumptions: { setPublicClassFields: true },
    },
    onwarn(warning) {
      throw new Error(`the library does not bundle: ${warning.message}`);
    },
    output: {
      dir: join(target, "library"),
      entryFileNames: "[name].js",
      chunkFileNames: "[name]-[hash].js",
      format: "esm",
      minify: { compress: false, mangle: false, codegen: true },
    },
  });
  const node = join(root, "node_modules/.bin/tsc");
  execFileSync(node, ["--build", join(root, "packages/flake")], { stdio: ["ignore", 2, 2] });
  copyTypes(root, join(target, "types"));
}

/** Copies the declarations that the entries reach, with imports that lead to the copies. */
function copyTypes(root: string, target: string): void {
  const waiting: string[] = Object.values(entries).map(typesOf);
  const seen = new Set(waiting);
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const from = file;
    const [name = "", ...rest] = from.split("/");
    const text = readFileSync(join(root, "node_modules/.cache/tsc", name, "src", ...rest), "utf8");
    const written = text.replace(/(\bfrom |\bimport\(|\bimport )"([^"]+)"/g, (_, before: string, specifier: string) => {
      const to = declarationOf(root, from, specifier);
      if (!seen.has(to)) {
        seen.add(to);
        waiting.push(to);
      }
      const path = relative(dirname(from), to).replace(/\.d\.ts$/, ".js");
      return `${before}"${path.startsWith(".") ? path : `./${path}`}"`;
    });
    mkdirSync(dirname(join(target, from)), { recursive: true });
    writeFileSync(join(target, from), written);
  }
}

/** The declaration that a specifier in another one means, as `PACKAGE/FILE.d.ts`. */
function declarationOf(root: string, from: string, specifier: string): string {
  if (specifier.startsWith(".")) return join(dirname(from), specifier).replace(/\.ts$/, ".d.ts");
  const match = /^@firn\/([a-z]+)(\/.+)?$/.exec(specifier);
  if (match === null) throw new Error(`the types of the library need '${specifier}' (${from})`);
  const [, name = "", path = ""] = match;
  const manifest = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")) as {
    exports: Record<string, string>;
  };
  const source = manifest.exports[`.${path}`];
  if (source === undefined) throw new Error(`'${specifier}' is no export (${from})`);
  return typesOf(join(name, source));
}
