/** `nix-env`: packages of a profile, with `manifest.nix`, and its generations (manual: "nix-env"). */
import { resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { defaultProfile, makeDefaultExpressions } from "@firn/store";
import type { Command, Flag, Operation } from "../grammar/command.ts";
import { evaluationFlags } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { profilePlaces } from "../session/profile-session.ts";
import { type Session, withSession } from "../session/session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import type { EnvironmentSession } from "./nix-env-session.ts";

const packages = { label: "packages", optional: true, repeats: true } as const;

/** Flags that say where packages come from. */
const sourceFlags: readonly Flag[] = [
  { name: "from-expression", short: "E", description: "The arguments are functions of the default expression." },
  {
    name: "from-profile",
    labels: ["path"],
    kinds: ["profile"],
    description: "The arguments select packages of another profile.",
  },
  { name: "attr", short: "A", description: "The arguments are attribute paths in the default expression." },
];

const install: Operation = {
  flag: { name: "install", short: "i", description: "Add packages to the profile." },
  flags: [
    ...sourceFlags,
    { name: "preserve-installed", short: "P", description: "Keep installed packages of the same name." },
    { name: "remove-all", short: "r", description: "Remove all other packages from the profile." },
    { name: "priority", labels: ["priority"], description: "Set the priority of the packages." },
  ],
  positionals: [packages],
};

const upgrade: Operation = {
  flag: { name: "upgrade", short: "u", description: "Replace packages by newer versions." },
  flags: [
    ...sourceFlags,
    { name: "lt", description: "Upgrade to higher versions only; this is the default." },
    { name: "leq", description: "Upgrade to the same version too." },
    { name: "eq", description: "Upgrade to the same version only." },
    { name: "always", description: "Upgrade to whatever version there is." },
  ],
  positionals: [packages],
};

const query: Operation = {
  flag: { name: "query", short: "q", description: "List packages: of the profile, or with -a those available." },
  flags: [
    { name: "installed", description: "List the packages of the profile; this is the default." },
    { name: "available", short: "a", description: "List the packages of the default expression." },
    { name: "status", short: "s", description: "Tell whether packages are installed, present and in a cache." },
    { name: "attr-path", short: "P", description: "Print attribute paths." },
    { name: "no-name", description: "Leave out the names." },
    { name: "system", description: "Print the system." },
    { name: "compare-versions", short: "c", description: "Compare installed versions with those available." },
    { name: "drv-path", description: "Print the path of the derivation." },
    { name: "out-path", description: "Print the paths of the outputs." },
    { name: "description", description: "Print the description." },
    { name: "meta", description: "Print all meta attributes, with --json or --xml." },
    { name: "xml", description: "Print XML." },
    { name: "json", description: "Print JSON." },
    {
      name: "attr",
      short: "A",
      labels: ["path"],
      kinds: ["attribute-path"],
      description: "List the packages in an attribute.",
    },
  ],
  positionals: [packages],
};

const operations: readonly Operation[] = [
  install,
  upgrade,
  query,
  {
    flag: { name: "uninstall", short: "e", description: "Remove packages from the profile." },
    flags: [],
    positionals: [packages],
  },
  {
    flag: { name: "set", description: "Make one package the whole profile." },
    flags: sourceFlags,
    positionals: [packages],
  },
  {
    flag: { name: "set-flag", description: "Set priority, keep or active of packages." },
    flags: [],
    positionals: [{ label: "name" }, { label: "value" }, packages],
    wrongArguments: "not enough arguments to '--set-flag'",
  },
  {
    flag: { name: "switch-profile", short: "S", description: "Make another profile the user's current one." },
    flags: [],
    positionals: [{ label: "path", kind: "profile" }],
    wrongArguments: "exactly one argument expected",
  },
  {
    flag: { name: "switch-generation", short: "G", description: "Switch to a generation of the profile." },
    flags: [],
    positionals: [{ label: "generation" }],
    wrongArguments: "exactly one argument expected",
  },
  {
    flag: { name: "rollback", description: "Switch to the generation before the current one." },
    flags: [],
    positionals: [],
    wrongArguments: "no arguments expected",
  },
  {
    flag: { name: "list-generations", description: "List the generations of the profile." },
    flags: [],
    positionals: [],
    wrongArguments: "no arguments expected",
  },
  {
    flag: { name: "delete-generations", description: "Delete generations: numbers, old, 30d or +5." },
    flags: [],
    positionals: [{ label: "generations", optional: true, repeats: true }],
  },
];

const flags: readonly Flag[] = [
  ...evaluationFlags,
  {
    name: "profile",
    short: "p",
    labels: ["path"],
    kinds: ["profile"],
    description: "The profile to operate on, in place of the user's own.",
  },
  {
    name: "file",
    short: "f",
    labels: ["path"],
    kinds: ["path"],
    description: "The Nix expression to take packages from, in place of ~/.nix-defexpr.",
  },
  { name: "dry-run", description: "Say what would be done without doing it." },
  { name: "system-filter", labels: ["system"], kinds: ["system"], description: "Take packages of a system only." },
  { name: "prebuilt-only", short: "b", description: "Take packages only that need not be built." },
  { name: "force-name", labels: ["name"], description: "Give the packages another name." },
  { name: "repair", description: "Build packages anew whose files are damaged." },
];

/** `nix-env`: changes and lists the packages of a profile. */
export const command: Command = { style: "old", positionals: [], flags, operations, run };

async function run(invocation: Invocation, io: Io): Promise<number> {
  if (invocation.flags.has("dry-run")) io.err("(dry run; not doing anything)\n");
  switch (invocation.operation) {
    case "switch-profile":
    case "switch-generation":
    case "rollback":
    case "list-generations":
    case "delete-generations": {
      const operation = (await import("./nix-env-generations.ts")).generationOperations[invocation.operation];
      return withSession(invocation, io, async (session) => {
        makeDefaultExpressions(await profilePlaces(session));
        return operation(session, await environmentProfile(session));
      });
    }
    default:
      return withPackages(invocation, io);
  }
}

function withPackages(invocation: Invocation, io: Io): Promise<number> {
  const readOnly = invocation.operation === "query";
  return withEvaluation(invocation, io, {
    needs: { impure: true, readOnly },
    body: async (session) => {
      const places = await profilePlaces(session);
      makeDefaultExpressions(places);
      const own: EnvironmentSession = { ...session, places, profile: await environmentProfile(session) };
      const { changeOperations } = await import("./nix-env-change.ts");
      switch (invocation.operation) {
        case "query":
          return (await import("./nix-env-query.ts")).queryPackages(own);
        case "install":
        case "upgrade":
        case "uninstall":
        case "set":
        case "set-flag":
          return changeOperations[invocation.operation](own);
        default:
          throw new FirnError("usage", "no operation specified");
      }
    },
  });
}

/** Returns the profile that is named by `--profile` or `NIX_PROFILE`, or else the user's. */
async function environmentProfile(session: Session): Promise<string> {
  const { io, invocation } = session;
  const named = invocation.flags.value("profile");
  if (named !== undefined) return resolve(io.cwd, named);
  const { NIX_PROFILE: variable } = io.env;
  return variable !== undefined && variable !== "" ? variable : defaultProfile(await profilePlaces(session));
}
