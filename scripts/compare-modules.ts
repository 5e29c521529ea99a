/**
 * Runs nixpkgs' own test cases of the module system (lib/tests/modules.sh of a tree) twice, with nixpkgs' lib and with
 * os/lib in its place, and names every case whose value, or whether it fails, differs, and every expectation of the
 * script that os/lib does not meet. The tree is only read; the cases run in a copy in a temporary directory.
 *
 *   node scripts/compare-modules.ts --nixpkgs DIR [--systems [--home-manager DIR]] [--firn] [--verbose]
 *
 * With --systems whole NixOS systems are evaluated with both instead (compare-modules.nix): the derivations must be the same.
 * The reference evaluates both (FIRN_REFERENCE: the command that runs its programs); with --firn, Firn evaluates os/lib.
 * What os/lib does not offer at all (filesets, gvariant) it takes from the tree.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const root = path.join(import.meta.dirname, "..");
const reference = process.env.FIRN_REFERENCE ?? path.join(os.homedir(), ".cache", "firn-reference", "real-nix");
const { values: options } = parseArgs({
  options: {
    nixpkgs: { type: "string" },
    systems: { type: "boolean", default: false },
    "home-manager": { type: "string" },
    firn: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});
if (options.nixpkgs === undefined) throw new Error("--nixpkgs names the tree");
const library = path.join(fs.realpathSync(options.nixpkgs), "lib");

const OVERLAY = `let
  theirs = import ./nixpkgs.nix;
  ours = import ./firn;
in
{
  inherit (theirs) fileset gvariant;
}
// ours
// {
  cli = theirs.cli // ours.cli;
}
// {
  types = {
    inherit (theirs.types) fileset;
  }
  // ours.types;
}
`;

interface Answer {
  readonly status: number;
  readonly out: string;
}
interface Run {
  readonly answers: ReadonlyMap<string, Answer>;
  readonly report: string;
}

/** One run of the script in `directory`, with every evaluation it asks for written down. */
function runScript(directory: string, program: string): Run {
  const log = path.join(directory, "log");
  const bin = path.join(directory, "bin");
  fs.mkdirSync(log);
  fs.mkdirSync(bin);
  fs.writeFileSync(
    path.join(bin, "nix-instantiate"),
    `#!/usr/bin/env bash
number=$(( $(cat ${log}/count 2>/dev/null || echo 0) + 1 ))
echo "$number" >${log}/count
printf '%s\\n' "$@" >"${log}/$number.args"
PATH=\${PATH#${bin}:} ${program} "$@" >"${log}/$number.out"
status=$?
echo "$status" >"${log}/$number.status"
cat "${log}/$number.out"
exit "$status"
`,
    { mode: 0o755 },
  );
  const done = spawnSync("bash", [path.join(directory, "lib/tests/modules.sh")], {
    cwd: directory,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, REAL_NIX_BIND: directory, LC_ALL: "C.UTF-8" },
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (done.error !== undefined) throw done.error;
  const answers = new Map<string, Answer>();
  for (const file of fs.readdirSync(log).filter((name) => name.endsWith(".args"))) {
    const base = path.join(log, file.slice(0, -".args".length));
    answers.set(fs.readFileSync(`${base}.args`, "utf8"), {
      status: Number(fs.readFileSync(`${base}.status`, "utf8")),
      out: fs.readFileSync(`${base}.out`, "utf8").replaceAll(directory, ""),
    });
  }
  return { answers, report: done.stdout };
}

/** Derivation paths of whole systems, with the tree's own lib and with os/lib. */
function compareSystems(nixpkgs: string): void {
  // Copies, because in the places that the reference sees the repository need not be one.
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "firn-modules-"));
  try {
    fs.cpSync(path.join(root, "os/lib"), path.join(directory, "lib"), { recursive: true });
    fs.cpSync(path.join(root, "scripts/compare-modules.nix"), path.join(directory, "compare.nix"));
    const home = options["home-manager"] === undefined ? undefined : fs.realpathSync(options["home-manager"]);
    for (const system of ["minimal", "server", "gnome", "plasma", ...(home === undefined ? [] : ["home"])]) {
      const [theirs, own] = ["null", "./lib"].map((library) => {
        const args = [
          "--arg",
          "nixpkgs",
          nixpkgs,
          "--arg",
          "library",
          library,
          "--argstr",
          "system",
          system,
          ...(home === undefined ? [] : ["--arg", "homeManager", home]),
        ];
        const words = ["--eval", "--read-write-mode", "./compare.nix", ...args];
        const isFirn = options.firn && library !== "null";
        const done = spawnSync(
          isFirn ? path.join(root, "firn") : reference,
          isFirn ? ["nix-instantiate", ...words] : ["nix-instantiate", ...words],
          {
            cwd: directory,
            env: {
              ...process.env,
              REAL_NIX_BIND: home === undefined ? nixpkgs : `${nixpkgs}:${home}`,
              ...(isFirn ? { NIX_REMOTE: `local?root=${path.join(directory, "root")}` } : {}),
            },
            encoding: "utf8",
            maxBuffer: 1 << 28,
          },
        );
        if (done.error !== undefined) throw done.error;
        return done.status === 0 ? done.stdout.trim() : done.stderr.trim().split("\n").slice(-1).join("");
      });
      console.log(
        `${system}: ${theirs === own ? `the same, ${own}` : `differs\n  nixpkgs: ${theirs}\n  os/lib:  ${own}`}`,
      );
    }
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

function compareCases(): void {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "firn-modules-"));
  try {
    const sides = ["theirs", "ours"].map((side) => path.join(directory, side));
    for (const side of sides) fs.cpSync(library, path.join(side, "lib"), { recursive: true });
    const ours = path.join(sides[1]!, "lib");
    fs.renameSync(path.join(ours, "default.nix"), path.join(ours, "nixpkgs.nix"));
    fs.writeFileSync(path.join(ours, "default.nix"), OVERLAY);
    fs.cpSync(path.join(root, "os/lib"), path.join(ours, "firn"), { recursive: true });
    // Modules are given the library of the evaluation: here the one with what is taken from the tree.
    for (const side of sides) {
      const entry = path.join(side, "lib/tests/modules/default.nix");
      const rewritten = fs
        .readFileSync(entry, "utf8")
        .replace("specialArgs.modulesPath = ./.;", "specialArgs = { inherit lib; modulesPath = ./.; };");
      if (!rewritten.includes("inherit lib;")) throw new Error(`${entry} has changed`);
      fs.writeFileSync(entry, rewritten);
    }
    const referenceProgram = `"${reference}" nix-instantiate`;
    const theirs = runScript(sides[0]!, referenceProgram);
    const mine = runScript(
      sides[1]!,
      options.firn
        ? `env "NIX_REMOTE=local?root=${path.join(directory, "root")}" "${path.join(root, "firn")}" nix-instantiate`
        : referenceProgram,
    );
    let same = 0;
    for (const [args, answer] of theirs.answers) {
      const own = mine.answers.get(args);
      if (own !== undefined && (own.status === 0) === (answer.status === 0) && own.out === answer.out) same++;
      else
        console.log(
          `differs: ${args.split("\n").slice(5).join(" ")}\n  nixpkgs: ${answer.status} ${answer.out.trim()}\n  os/lib:  ${own?.status} ${own?.out.trim()}`,
        );
    }
    console.log(`${same} of ${theirs.answers.size} evaluations agree (value, or that it fails)`);
    const summary = (report: string) => report.slice(report.lastIndexOf("====== module tests"));
    if (options.verbose) console.log(mine.report);
    console.log(`nixpkgs' lib: ${summary(theirs.report).replaceAll("\n", " ")}`);
    console.log(`os/lib:       ${summary(mine.report).replaceAll("\n", " ")}`);
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

if (options.systems) compareSystems(path.dirname(library));
else compareCases();
