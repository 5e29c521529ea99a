/**
 * Evaluations that begin with images beside fresh ones, on a generated set of packages and a project that uses it, both edited at random. Images are made and
 * used by evaluators in threads of their own.
 */
import fs from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FirnError } from "@firn/formats";
import { loadSettings } from "@firn/store";
import { EvaluatorClient } from "../../packages/flake/src/evaluator/client.ts";
import { hostConfig } from "../../packages/flake/src/evaluator/host-config.ts";
import type { HostConfig } from "../../packages/flake/src/evaluator/node-host.ts";
import { createOfflineServices } from "../../packages/flake/src/evaluator/offline-services.ts";
import type { Request } from "../../packages/flake/src/evaluator/protocol.ts";
import type { HostServices } from "../../packages/flake/src/evaluator/services.ts";
import { KeptImages } from "../../packages/flake/src/results/kept-images.ts";
import { makeImage } from "../../packages/flake/src/results/make-image.ts";
import { randomFrom } from "../../scripts/random.ts";

/** Figures of a comparison. */
export interface ImageComparison {
  /** Number of edits after which an evaluation began with an image. */
  readonly begun: number;
  /** Number of those that had to begin anew without it. */
  readonly left: number;
  readonly made: number;
  /** The edits after which the answers differ from fresh ones, with both. */
  readonly wrong: readonly string[];
}

/** Age in milliseconds from which files count as settled here; each edit is that old before anything is read. */
const settledAfter = 15;
const packageCount = 12;

const top = `
{ system ? "x86_64-linux", config ? { }, platform ? { name = system; }, overlays ? [ ] }@args:
let
  lib = import ./lib;
  names = builtins.attrNames (builtins.readDir ./by-name);
  base = self: {
    inherit lib config platform args;
    callPackage = path: more:
      let f = import path; in f (builtins.intersectAttrs (builtins.functionArgs f) self // more);
    mk = attrs: lib.extend (derivation ({ inherit system; builder = "/bin/sh"; } // attrs)) { inherit attrs; };
  } // builtins.listToAttrs (map (name: {
    name = builtins.replaceStrings [ ".nix" ] [ "" ] name;
    value = self.callPackage (./by-name + "/\${name}") { };
  }) names);
in builtins.seq lib.version (lib.fix (builtins.foldl' (f: g: self: let a = f self; in a // g self a) base overlays))
`;

const lib = `
rec {
  version = builtins.readFile ./version;
  fix = f: let x = f x; in x;
  extend = drv: more: drv // more // { override = change: extend drv (more // change); };
  elaborate = args: let final = { name = args.name or "none"; is = other: other == final.name; longName = "\${final.name}-long"; }; in final;
  same = a: b: (builtins.tryEval (a == b)).value;
  deep = value: (builtins.tryEval (builtins.deepSeq value true)).success;
}
`;

/** A library whose functions belong to no file's value. */
const extendedLib = `
{ name }: (import ./.) // {
  elaborate = args: let final = { name = args.name or "none"; is = other: other == final.name; longName = "\${final.name}-of-\${name}"; }; in final;
}
`;

const packagesFlake = `
{
  outputs = { self }: {
    lib = import ./lib/extended.nix { name = "flake"; };
    packages.all = import ./. { overlays = [ (self: super: { added = super.p0; }) ]; };
    rev = self.rev or "none";
    mark = "\${self}";
  };
}
`;

/** Returns the text of a package that depends on others of lower numbers. */
function packageText(number: number, random: () => number): string {
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const other = number === 0 ? "lib" : `p${Math.floor(random() * number)}`;
  const dependency = number === 0 ? '"none"' : `"\${toString ${other}}"`;
  const salt = Math.floor(random() * 1000);
  const usual = [
    `mk { name = "p${number}"; salt = ${salt}; input = ${dependency}; }`,
    `mk { name = "p${number}"; text = builtins.readFile ../texts/${number % 3}; input = ${dependency}; }`,
    `mk { name = "p${number}"; src = ../src; there = builtins.pathExists ../maybe; salt = ${salt}; }`,
    `mk { name = "p${number}"; choice = builtins.getEnv "CHOICE"; input = ${dependency}; }`,
    `mk { name = "p${number}"; config = config.salt or "plain"; place = platform.longName or platform.name; }`,
    `mk { name = "p${number}"; tried = if (builtins.tryEval (throw "never")).success then "a" else "b"; numbers = map (x: x * ${salt}) [ 1 2 3 ]; }`,
    `(mk { name = "p${number}"; missing = config.missing or 1; }).override { extra = ${salt}; }`,
    `mk { name = "p${number}"; salt = if config ? loud then builtins.trace "loud" ${salt} else ${salt}; }`,
  ];
  // Where an image could be seen, or fails, there is none.
  const unusual = [
    `mk { name = "p${number}"; inherit (config) missing; }`,
    `mk { name = "p${number}"; place = toString (builtins.unsafeGetAttrPos "salt" config).line or "nowhere"; }`,
    `mk { name = "p${number}"; same = if lib.same { b = throw "b"; a = 1; } { b = 2; a = 2; } then 1 else ${salt}; }`,
  ];
  const body = pick(random() < 0.01 ? unusual : usual);
  return `{ lib, mk, config, platform, ${number === 0 ? "" : `${other}, `}... }: ${body}\n`;
}

/** The packages as projects come to them. */
const packagesTexts = [
  ...[
    "{ }",
    "{ config = { }; }",
    '{ system = "aarch64-linux"; }',
    '{ config = { salt = "some"; missing = "not"; }; }',
    "{ config = { loud = true; }; }",
    `{ config = builtins.trace "lazy" { salt = "traced"; }; }`,
    "{ config = import ./settings.nix; }",
    '{ platform = (import ../pkgs/lib).elaborate { name = "strange"; }; }',
    '{ platform = (import ../pkgs/lib).elaborate { name = "strange"; }; config = { missing = "not"; }; }',
    "{ overlays = [ (self: super: { added = super.p0; }) ]; }",
    '{ platform = flake.lib.elaborate { name = "strange"; }; }',
    "{ config = { salt = flake.rev; }; }",
    "{ config = { salt = flake.mark; }; }",
  ].map((text) => `import ../pkgs ${text}`),
  "flake.packages.all",
  "(flake.packages.all // { own = flake.lib.version; })",
  "flake.outputs.packages.all",
];

/** Returns the text of a project that uses packages, a function of their flake. */
function projectText(packages: string, random: () => number): string {
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const p = (): string => `p${Math.floor(random() * packageCount)}`;
  const salt = Math.floor(random() * 1000);
  const usual = [
    `\${toString pkgs.${p()}}`,
    `\${toString pkgs.${p()}}`,
    `\${pkgs.lib.version}`,
    `\${toString (map (x: pkgs.\${x}.name) [ "${p()}" "${p()}" ])}`,
    `\${if pkgs.lib.same pkgs.${p()} pkgs.${p()} then "same" else "other"}`,
    `\${toString (pkgs.mk { name = "own"; input = pkgs.${p()}; salt = ${salt}; })}`,
    `\${toString (pkgs.callPackage ./own.nix { })}`,
    `\${toString (${packages}).${p()}}`,
    `\${builtins.trace "seen ${salt}" "traced"}`,
    `\${toString (pkgs.${p()}.override { more = ${salt}; }).more}`,
    `\${if pkgs.platform ? is then toString (pkgs.platform.is "strange") else "plain"}`,
    `\${toString (builtins.unsafeGetAttrPos "override" pkgs.${p()}).line or "none"}`,
  ];
  // Where an image could be seen, and errors.
  const unusual = [
    `\${if pkgs.lib.deep { zzz${salt} = throw "z"; b = pkgs.${p()}.attrs; } then "deep" else "failed"}`,
    `\${toString (pkgs.lib.same { zz${salt} = throw "never"; name = 1; } { zz${salt} = 1; name = 2; })}`,
    `\${toString (pkgs == ${packages})}`,
    `\${builtins.trace pkgs.${p()}.attrs "traced"}`,
    `\${throw "wrong ${salt}"}`,
    "${toString pkgs.absent}",
    "${1}",
  ];
  const use = (): string => pick(random() < 0.07 ? unusual : usual);
  const texts = Array.from({ length: 3 }, use).join(" ");
  return `flake: let pkgs = ${packages}; in {
    drv = pkgs.mk { name = "whole"; text = "${texts}"; inputs = builtins.genList (i: pkgs."p\${toString i}") ${packageCount}; };
    text = "${use()}";
    data = { inherit (pkgs.${p()}) name; names = builtins.length (builtins.attrNames pkgs); };
  }\n`;
}

type Variables = Record<string, string>;

class Project {
  readonly directory: string;
  readonly variables: Variables = {};
  private readonly random: () => number;
  private packages = packagesTexts[0]!;
  private revision = "1";

  constructor(directory: string, random: () => number) {
    this.directory = directory;
    this.random = random;
    for (const path of ["pkgs/lib", "pkgs/by-name", "pkgs/texts", "pkgs/src", "project"]) {
      fs.mkdirSync(this.below(path), { recursive: true });
    }
    this.write("pkgs/default.nix", top);
    this.write("pkgs/lib/default.nix", lib);
    this.write("pkgs/lib/extended.nix", extendedLib);
    this.write("pkgs/flake.nix", packagesFlake);
    this.write("pkgs/lib/version", "1");
    this.write("pkgs/src/file", "1");
    for (let i = 0; i < packageCount; i++) this.write(`pkgs/by-name/p${i}.nix`, packageText(i, random));
    for (let i = 0; i < 3; i++) this.write(`pkgs/texts/${i}`, String(i));
    this.write("project/settings.nix", '{ salt = "file"; }');
    this.write("project/own.nix", '{ mk, p1 }: mk { name = "own"; input = p1; }');
    this.write("project/default.nix", projectText(this.packages, random));
  }

  private below(path: string): string {
    return join(this.directory, path);
  }

  private write(path: string, text: string): void {
    fs.writeFileSync(this.below(path), text);
  }

  /** Changes one thing at random, mostly the project, and returns in words what. */
  edit(): string {
    const { random } = this;
    const number = String(Math.floor(random() * 1000));
    if (random() < 0.5) {
      // What is applied to what stays the same for a while.
      if (random() < 0.15) this.packages = packagesTexts[Math.floor(random() * packagesTexts.length)]!;
      this.write("project/default.nix", projectText(this.packages, random));
      return "write the project";
    }
    switch (Math.floor(random() * 8)) {
      case 0: {
        const changed = Math.floor(random() * packageCount);
        this.write(`pkgs/by-name/p${changed}.nix`, packageText(changed, random));
        return `write package ${changed}`;
      }
      case 1: {
        const path = ["texts/0", "texts/1", "texts/2", "src/file", "lib/version"][Math.floor(random() * 5)]!;
        this.write(`pkgs/${path}`, number);
        return `write ${path}`;
      }
      case 2:
        if (fs.existsSync(this.below("pkgs/maybe"))) fs.rmSync(this.below("pkgs/maybe"));
        else this.write("pkgs/maybe", "");
        return "toggle maybe";
      case 3:
        this.variables.CHOICE = number;
        return "set the variable";
      case 4:
        this.write("project/settings.nix", `{ salt = "${number}"; }`);
        return "write the settings";
      case 5:
        if (fs.existsSync(this.below("pkgs/by-name/q.nix"))) fs.rmSync(this.below("pkgs/by-name/q.nix"));
        else this.write("pkgs/by-name/q.nix", "{ p1 }: p1");
        return "toggle a package";
      case 6:
        this.revision = number;
        return "set the revision of the flake";
      default:
        return "nothing";
    }
  }

  /** The requests of an evaluation: the packages' flake, the project, and what is asked of it. */
  requests(): readonly Request[] {
    const storePath = "/nix/store/00000000000000000000000000000000-source";
    const outPath = { string: storePath, context: [{ kind: "opaque", path: storePath }] } as const;
    const sourceInfo = { attrs: { outPath, rev: this.revision } };
    return [
      { op: "internalBuiltin", name: "flakeOfTree" },
      { op: "call", callee: 1, args: [{ attrs: { sourceInfo, outPath, place: this.below("pkgs") } }] },
      { op: "evaluate", source: { kind: "file", path: this.below("project") } },
      { op: "call", callee: 3, args: [{ handle: 2 }] },
      { op: "attribute", value: 4, name: "drv" },
      { op: "derivation", value: 5 },
      { op: "select", value: 4, path: "text", autoArgs: {} },
      { op: "print", value: 6, form: { kind: "instantiate" } },
      { op: "attribute", value: 4, name: "data" },
      { op: "print", value: 7, form: { kind: "json" } },
    ];
  }

  config(): HostConfig {
    const environment = { HOME: "/nowhere", FIRN_CODE_CACHE: this.below("code"), NIX_CONFIG: "", ...this.variables };
    return hostConfig(
      loadSettings(environment),
      { environment, cwd: this.directory },
      { includes: [], readOnly: true },
    );
  }
}

interface Answers {
  readonly answers: readonly unknown[];
  readonly messages: readonly string[];
}

async function answersOf(requests: readonly Request[], answer: (request: Request) => unknown): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const request of requests) {
    try {
      answers.push(await answer(request));
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      // Handles of what follows depend on it.
      answers.push([error.code, error.message, error.position, error.trace]);
      break;
    }
  }
  return answers;
}

/** Compares evaluations with images with fresh ones after each of some random edits. Errors and messages are answers too. */
export async function compareImageEdits(
  directory: string,
  { seed, edits }: { readonly seed: number; readonly edits: number },
): Promise<ImageComparison> {
  // Each evaluation has a thread of its own, which is to start at once.
  enableCompileCache(join(directory, "compiled"));
  const project = new Project(directory, randomFrom(seed));
  const offline = createOfflineServices("/nix/store", false);
  const unanswered = (): never => {
    throw new FirnError("internal", "no such service");
  };
  const services: HostServices = {
    addPath: async (request) => offline.addPath(request),
    addText: async (...args) => offline.addText(...args),
    writeDerivations: async () => undefined,
    readDerivation: unanswered,
    realise: unanswered,
    ensurePath: unanswered,
    queryPath: unanswered,
    fetch: unanswered,
    resolveSearchPathUrl: unanswered,
  };
  const figures = { begun: 0, left: 0, made: 0 };
  const wrong: string[] = [];

  // In a thread of its own too: the order of symbols depends on what was evaluated before.
  const fresh = async (config: HostConfig): Promise<Answers> => {
    const messages: string[] = [];
    const client = new EvaluatorClient({ config, services, report: ({ text }) => messages.push(text) });
    const answers = await answersOf(project.requests(), (request) => client.request(request));
    await client.close();
    return { answers, messages };
  };

  const withImage = async (config: HostConfig): Promise<Answers> => {
    const codeDirectory = join(directory, "code");
    const shared = {
      file: join(codeDirectory, "results.sqlite"),
      isLocked: () => true,
      holds: () => Promise.resolve(true),
      pathOf: ({ path, name, method }: { path: string; name: string; method: "flat" | "nar" }) =>
        Promise.resolve(offline.addPath({ path, name, method })),
      settledAfter,
    };
    const messages: string[] = [];
    const client = new EvaluatorClient({
      config,
      services,
      report: ({ text }) => messages.push(text),
      images: new KeptImages({
        ...shared,
        config,
        codeDirectory,
        from: { imports: 1, attributes: 4 },
        worthAnImage: 0,
        isWanted: () => true,
        explain: (text) => {
          if (text.startsWith("beginning")) figures.begun++;
          if (text.startsWith("evaluating again")) figures.left++;
        },
        start: async (application) => {
          figures.made++;
          const work = { config, application, settings: [], flakes: false };
          await makeImage(work, { ...shared, codeDirectory, services }).catch((error: unknown) => {
            if (!(error instanceof FirnError)) throw error;
          });
        },
      }),
    });
    const answers = await answersOf(project.requests(), (request) => client.request(request));
    await client.close();
    return { answers, messages };
  };

  for (let number = 0; number < edits; number++) {
    const what = project.edit();
    await sleep(settledAfter + 5);
    const config = project.config();
    const [ours, theirs] = await Promise.all([withImage(config), fresh(config)]);
    const differing = (["messages", "answers"] as const).filter(
      (part) => JSON.stringify(ours[part]) !== JSON.stringify(theirs[part]),
    );
    for (const part of differing) {
      const [a, b] = [JSON.stringify(ours[part]), JSON.stringify(theirs[part])];
      let same = 0;
      while (same < a.length && a[same] === b[same]) same++;
      const shown = (text: string): string => text.slice(Math.max(0, same - 100), same + 300);
      wrong.push(`${number}: ${what}: ${part}: …${shown(a)} instead of …${shown(b)}`);
    }
  }
  return { ...figures, wrong };
}
