/**
 * Finds options of a system that change nothing: each gets a value that is not its default, with all that is above it switched on, and the system's
 * derivation and warnings are compared with those without it. `node scripts/idle-options.ts [PREFIX]...` prints those options below the prefixes that
 * make no difference. Some of them rightly make none: their value is what is anyway, or they mean something only beside another option.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Option {
  readonly loc: readonly string[];
  readonly name: string;
  readonly type: string;
  readonly default: string | null;
}

/** What is written, and a store for it. */
const directory = mkdtempSync(join(tmpdir(), "idle-options-"));

/** What is evaluated first: plain data of each option that can be set. */
const OPTIONS = `
let
  lib = import ${root}os/lib;
  system = import ${root}os/eval-config.nix { modules = [ ]; };
  text = value: if value == null || builtins.isString value then value else value.text or null;
in
map (option: {
  inherit (option) loc name type;
  default = text (option.default or null);
}) (builtins.filter (option: option.visible && !option.internal && !(option.readOnly or false)) (lib.optionAttrSetToDocList system.options))
`;

/** The start of the second evaluation: a machine that boots, and how one option is judged. */
const JUDGE = `
let
  machine = {
    boot.loader.systemd-boot.enable = true;
    fileSystems."/" = { device = "/dev/vda"; fsType = "ext4"; };
    fileSystems."/boot" = { device = "/dev/vda2"; fsType = "vfat"; };
  };
  evaluate = modules: (import ${root}os/eval-config.nix { modules = [ machine ] ++ modules; }).config;
  inherit (import ${root}os/eval-config.nix { modules = [ ]; }) pkgs;
  factsOf = config: [ (builtins.unsafeDiscardStringContext config.system.build.toplevel.drvPath) config.warnings ];
  bases = builtins.mapAttrs (_: modules: { inherit modules; facts = factsOf (evaluate modules); }) modulesOfBases;
  idle = base: values: builtins.all (value: factsOf (evaluate (base.modules ++ [ value ])) == base.facts) values;
  job = name: isIdle: derivation { inherit name; builder = "x"; system = "x86_64-linux"; } // { meta.idle = isIdle; };
`;

/** Runs the command line; returns what it printed. */
function firn(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", join(root, "packages/cli/src/main.ts"), ...args],
    {
      encoding: "utf8",
      maxBuffer: 1 << 28,
      env: {
        ...process.env,
        NIX_CONFIG: "substituters =\nflake-registry =\n",
        NIX_REMOTE: join(directory, "store"),
        HOME: directory,
      },
    },
  );
  // Of jobs some cannot be evaluated.
  if (stdout === "" && status !== 0) throw new Error(stderr);
  return stdout;
}

/** Returns values of a type, at least one of them not the default; none for types that are made of others. */
function valuesOf({ type: whole, default: given }: Option): readonly string[] {
  const type = whole.replace(/^null or \(?/, "");
  if (type.startsWith("boolean")) {
    if (given === "true" || given === "false") return [given === "true" ? "false" : "true"];
    return ["true", "false"];
  }
  if (type.startsWith("one of ")) return [...type.matchAll(/"[^"]*"/g)].slice(0, 4).map(([text]) => text);
  if (type.startsWith('strings concatenated with "\\n"')) return ['"# x1"'];
  if (/^(string|strings concatenated|\(optionally newline-terminated\))/.test(type)) return ['"x1"'];
  if (type.startsWith("absolute path")) return ['"/x1"'];
  if (/^\(?list of (string|\(optionally)/.test(type)) return ['[ "x1" ]'];
  if (type === "list of absolute path") return ['[ "/x1" ]'];
  if (type === "list of package") return ["[ pkgs.jq ]"];
  if (type.startsWith("16 bit unsigned")) return ["4711"];
  if (type.startsWith("list of 16 bit unsigned")) return ["[ 4711 ]"];
  if (/^(signed |unsigned |positive )?integer/.test(type)) return ["3", "7"];
  if (/^attribute set of (string|absolute path)/.test(type)) return ['{ x1 = "/y1"; }'];
  return [];
}

/** Returns a module that sets what is at a place; elements of lists and members of any name are made. */
function moduleAt(place: readonly string[], value: string): string {
  return place.reduceRight((inner, name) => {
    if (name === "*") return `[ ${inner} ]`;
    return name.startsWith("<") ? `{ x = ${inner}; }` : `{ ${JSON.stringify(name)} = ${inner}; }`;
  }, value);
}

const prefixes = process.argv.slice(2);
const options = (JSON.parse(firn(["eval", "--impure", "--json", "--expr", OPTIONS])) as Option[]).filter(
  ({ name }) => !name.includes("_module"),
);
const switches = new Set(
  options.filter(({ loc, type }) => loc.at(-1) === "enable" && type === "boolean").map(({ loc }) => loc.join("\0")),
);
const bases = new Map<string, string>();
const jobs: string[] = [];
const names: string[] = [];
for (const option of options) {
  if (prefixes.length > 0 && !prefixes.some((prefix) => `${option.name}.`.startsWith(`${prefix}.`))) continue;
  const { loc } = option;
  const values = valuesOf(option);
  if (values.length === 0) continue;
  const modules = loc
    .map((_, length) => [...loc.slice(0, length), "enable"])
    .filter((place) => place.length <= loc.length && switches.has(place.join("\0")) && place.join() !== loc.join())
    .map((place) => `(${moduleAt(place, "true")})`);
  const member = loc.findLastIndex((name) => name.startsWith("<"));
  if (member >= 0 && !loc.includes("*")) modules.push(`(${moduleAt(loc.slice(0, member + 1), "{ }")})`);
  const text = modules.join(" ");
  const base = bases.get(text) ?? `b${bases.size}`;
  bases.set(text, base);
  const settings = values.map((value) => `(${moduleAt(loc, value)})`).join(" ");
  jobs.push(`o${names.length} = job "o${names.length}" (idle bases.${base} [ ${settings} ]);`);
  names.push(option.name);
}

try {
  const modulesOfBases = [...bases].map(([text, name]) => `${name} = [ ${text} ];`).join("\n");
  const file = join(directory, "options.nix");
  writeFileSync(file, `${JUDGE} modulesOfBases = { ${modulesOfBases} };\nin {\n${jobs.join("\n")}\n}\n`);
  let judged = 0;
  for (const line of firn(["eval-jobs", "--impure", "--meta", "-f", file]).trim().split("\n")) {
    const job = JSON.parse(line) as { attr: string; error?: string; meta?: { idle?: boolean } };
    if (job.error !== undefined) continue;
    judged++;
    if (job.meta?.idle === true) process.stdout.write(`${names[Number(job.attr.slice(1))]}\n`);
  }
  process.stdout.write(`${names.length} options, ${judged} of them could be judged\n`);
} finally {
  rmSync(directory, { recursive: true });
}
