/**
 * Records what the reference says about byte formats into tests/formats/golden. The only writer of those files:
 *
 *   FIRN_REAL_NIX=PATH node scripts/record-formats.ts
 */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const realNix = process.env.FIRN_REAL_NIX;
if (realNix === undefined) throw new Error("FIRN_REAL_NIX is not set: scripts/setup-reference prints the path");
const golden = new URL("../tests/formats/golden/", import.meta.url).pathname;
const work = fs.mkdtempSync(path.join(os.tmpdir(), "firn-record-"));
fs.chmodSync(work, 0o755);
const options = { cwd: work, maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"] };
const run = (...command: string[]): Buffer => execFileSync(realNix, command, options);
const text = (...command: string[]): string => run(...command).toString("latin1");
const version = text("nix", "--version").trim();

function write(name: string, value: unknown): void {
  const file = path.join(golden, `${name}.json`);
  fs.writeFileSync(file, `${JSON.stringify({ recordedBy: version, value }, undefined, 1)}\n`);
  console.log(`recorded ${name}`);
}

/** The last error of a failing expression, without position. */
function errorOf(expression: string): string {
  const result = spawnSync(realNix!, ["nix-instantiate", "--eval", "--strict", "-E", expression], options);
  const lines = result.stderr.toString("latin1").split("\n");
  const start = lines.findLastIndex((line) => /^\s*error:/.test(line));
  return lines
    .slice(start)
    .join("\n")
    .replace(/^\s*error: /, "")
    .replace(/\nTry '.*$/s, "")
    .trim();
}

const evaluate = (expression: string): unknown =>
  JSON.parse(text("nix-instantiate", "--eval", "--strict", "--json", "-E", expression));

const inputs = ["", "hello", "a".repeat(200)];
const convert = (format: string): string =>
  `builtins.convertHash { inherit hash; hashAlgo = algorithm; toHashFormat = "${format}"; }`;
write(
  "hashes",
  evaluate(`
    builtins.concatMap (algorithm: map (input: let hash = builtins.hashString algorithm input; in {
      inherit algorithm input; base16 = hash; nix32 = ${convert("nix32")}; base64 = ${convert("base64")}; sri = ${convert("sri")};
    }) (builtins.fromJSON ''${JSON.stringify(inputs)}'')) [ "md5" "sha1" "sha256" "sha512" ]`),
);
write(
  "hash-errors",
  ["abc", "sha256:abc", "sha256-AAAA", "sha3:abc", `sha256:${"e".repeat(52)}`, `sha256:${"*".repeat(64)}`].map(
    (hash) => ({
      hash,
      error: errorOf(`builtins.convertHash { hash = "${hash}"; toHashFormat = "sri"; }`),
    }),
  ),
);
write(
  "name-errors",
  [".", "..", ".-x", "..-x", "a b", "a/b", "x".repeat(212), "\u00e9"].map((name) => ({
    name,
    error: errorOf(`builtins.path { path = /etc/hostname; name = "${name}"; }`),
  })),
);
const fixed = `[
  { hash = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="; mode = "flat"; }
  { hash = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="; mode = "recursive"; }
  { hash = "sha1-9XLTlvrpIGYocU+yzgD3LpTyJY8="; mode = "flat"; }
  { hash = "sha1-9XLTlvrpIGYocU+yzgD3LpTyJY8="; mode = "recursive"; }
  { hash = "md5-sZRqySSSxR0SjyUZsGlf9A=="; mode = "flat"; }
]`;
write(
  "fixed-paths",
  evaluate(`map ({ hash, mode }: {
    inherit hash mode;
    path = builtins.unsafeDiscardStringContext (derivation { name = "x.tar-1.0"; system = "s"; builder = "b"; outputHash = hash; outputHashMode = mode; }).outPath;
  }) ${fixed}`),
);
write(
  "text-paths",
  evaluate(
    `map (text: { inherit text; path = builtins.unsafeDiscardStringContext (builtins.toFile "some-name.txt" text); }) [ "" "hello" "a\\nb" ]`,
  ),
);

fs.writeFileSync(
  path.join(work, "drvs.nix"),
  `let
  make = name: extra: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo \\"q\\" \\\\ \\t > $out" ]; } // extra);
in rec {
  plain = make "plain" { weird = "tab\\t nl\\n cr\\r quote\\" back\\\\ é"; };
  multi = make "multi" { outputs = [ "out" "dev" ]; inherit plain; };
  source = make "source" { src = builtins.toFile "source" "x"; inherit multi; dev = multi.dev; };
  fixed = make "fixed" { outputHash = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="; outputHashMode = "recursive"; };
  user = make "user" { inherit fixed source; };
  structured = make "structured" { __structuredAttrs = true; list = [ 1 1.5 null true "x" ]; set.a.b = {}; inherit fixed; };
  floating = make "floating" { __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; inherit plain; };
  deferred = make "deferred" { inherit floating; };
  impure = make "impure" { __impure = true; };
}`,
);
const features = ["--extra-experimental-features", "ca-derivations impure-derivations"];
const drvPaths = text("nix-instantiate", ...features, "drvs.nix")
  .trim()
  .split("\n")
  .map((line) => line.replace(/!.*/, ""));
write(
  "derivations",
  [...new Set(drvPaths)].sort().map((drvPath) => ({
    path: drvPath,
    text: text("cat", drvPath),
    json: text("nix", "derivation", "show", ...features, drvPath).trim(),
  })),
);

const tree = path.join(work, "tree");
fs.mkdirSync(path.join(tree, "dir", "empty"), { recursive: true });
fs.writeFileSync(path.join(tree, "a"), "hello");
fs.writeFileSync(path.join(tree, "run"), "#!/bin/sh\n", { mode: 0o755 });
fs.writeFileSync(path.join(tree, "dir", "zero"), "");
fs.writeFileSync(path.join(tree, "dir", "eight"), "12345678");
fs.symlinkSync("../a", path.join(tree, "dir", "link"));
const nar = run("nix-store", "--dump", "tree");
fs.writeFileSync(path.join(work, "tree.nar"), nar);
write("nar", {
  nar: nar.toString("base64"),
  listing: text("nix", "nar", "ls", "--json", "-R", "tree.nar", "/").trim(),
});

run("nix-store", "--generate-binary-cache-key", "golden-1", "secret", "public");
const store = path.join(work, "store");
const added = text("nix", "store", "add", "--store", store, "tree").trim();
run("nix", "copy", "--from", store, "--to", `file://${work}/cache?secret-key=${work}/secret&compression=none`, added);
write("narinfo", {
  narinfo: fs.readFileSync(path.join(work, "cache", `${added.slice(11, 43)}.narinfo`), "latin1"),
  secretKey: fs.readFileSync(path.join(work, "secret"), "latin1"),
  publicKey: fs.readFileSync(path.join(work, "public"), "latin1"),
});

for (const name of ["flake", "input", "file"]) fs.mkdirSync(path.join(work, name));
fs.writeFileSync(
  path.join(work, "input", "flake.nix"),
  `{ inputs.below.url = "path:${work}/file"; inputs.below.flake = false; outputs = _: { }; }`,
);
fs.writeFileSync(path.join(work, "file", "x"), "x");
fs.writeFileSync(
  path.join(work, "flake", "flake.nix"),
  `{ inputs.one.url = "path:${work}/input"; inputs.two.url = "path:${work}/input"; inputs.two.inputs.below.follows = "one/below"; inputs.three.follows = "two"; outputs = _: { }; }`,
);
run("nix", "flake", "lock", `path:${work}/flake`);
write(
  "flake-lock",
  fs.readFileSync(path.join(work, "flake", "flake.lock"), "latin1").replaceAll(work, "/tmp/recorded"),
);
fs.rmSync(work, { recursive: true, force: true });
