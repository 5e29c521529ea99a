/**
 * The system configuration of a command: a flake's `nixosConfigurations.HOST`, a file that evaluates to a configuration, or a
 * module (`configuration.nix`) evaluated by NixOS when `<nixpkgs>` is known, else by the module set that comes with Firn. The
 * order is nixos-rebuild's.
 */

import { dirname, join, resolve } from "node:path";
import type { Found } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { existsSync, realpathSync, statSync } from "@firn/store/files";
import { findSystemValue, type OsConfiguration } from "@firn/system";
import type { Flag } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";
import type { Io } from "../io.ts";
import type { EvaluationNeeds, EvaluationSession } from "../session/evaluation-session.ts";

/** Flags that choose a configuration. */
export const configurationFlags: readonly Flag[] = [
  ...evaluationFlags,
  ...flakeFlags,
  {
    name: "flake",
    short: "F",
    labels: ["flake-uri"],
    description:
      "Use the configuration nixosConfigurations.NAME of the flake, as in '.#NAME'; NAME defaults to the host's.",
  },
  { name: "no-flake", description: "Do not use /etc/nixos/flake.nix." },
  { name: "file", short: "f", labels: ["path"], description: "Use the configuration that the file evaluates to." },
  { name: "attr", short: "A", labels: ["attr-path"], description: "Attribute path of the configuration in the file." },
];

const defaultDirectory = "/etc/nixos";

/**
 * Returns the configuration that flags and the optional word name; without either the one of `/etc/nixos`. Fails with `usage`
 * when they contradict each other and with `no-configuration` when there is none.
 */
export function chooseConfiguration({ flags }: Invocation, io: Io, word?: string): OsConfiguration {
  const given = ["flake", "file"].filter((name) => flags.has(name));
  if (given.length > 1 || (flags.has("flake") && flags.has("attr"))) {
    throw new UsageError("--flake cannot be used with --file or --attr");
  }
  if (word !== undefined) {
    if (given.length > 0) throw new UsageError(`'${word}' and --${given[0]} both name a configuration`);
    return configurationAt(word, io.cwd);
  }
  const attribute = flags.value("attr");
  const flake = flags.value("flake");
  if (flake !== undefined) return flakeConfiguration(flake);
  const file = flags.value("file");
  if (file !== undefined) return { kind: "file", path: systemFile(resolve(io.cwd, file)), attribute };
  if (attribute !== undefined) {
    for (const name of ["system.nix", "default.nix"]) {
      const path = resolve(io.cwd, name);
      if (existsSync(path)) return { kind: "file", path, attribute };
    }
  }
  return defaultConfiguration(flags.has("no-flake") || attribute !== undefined, attribute, io);
}

function defaultConfiguration(noFlake: boolean, attribute: string | undefined, io: Io): OsConfiguration {
  const flake = join(defaultDirectory, "flake.nix");
  if (!noFlake && existsSync(flake)) {
    return { kind: "flake", reference: referenceOf(dirname(realpathSync(flake))), name: undefined };
  }
  const system = join(defaultDirectory, "system.nix");
  if (existsSync(system)) return { kind: "file", path: system, attribute };
  if (attribute !== undefined) return { kind: "search-path", name: "nixpkgs/nixos", attribute };
  const module = io.env.NIXOS_CONFIG ?? join(defaultDirectory, "configuration.nix");
  if (!existsSync(module)) {
    throw new FirnError("no-configuration", `there is no system configuration: '${module}' does not exist`, {
      hint: "name one, e.g. 'firn os build ./configuration.nix' or '--flake .#host', or write one with 'firn os generate-config'",
    });
  }
  return { kind: "module", path: module };
}

/**
 * Returns the reference of the flake that `/etc/nixos/flake.nix`, which can be a link, leads to. One further down in the same directory
 * may have inputs beside its own.
 */
function referenceOf(directory: string): string {
  const root = realpathSync(defaultDirectory);
  if (!directory.startsWith(`${root}/`) || existsSync(join(root, ".git"))) return directory;
  return `path:${root}?dir=${directory.slice(root.length + 1)}`;
}

/** Returns the configuration of a word: a flake reference, a flake's directory, a directory with a configuration, or a file. */
function configurationAt(word: string, cwd: string): OsConfiguration {
  const path = resolve(cwd, word);
  const stat = word.includes("#") ? undefined : statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return flakeConfiguration(word);
  if (!stat.isDirectory()) return { kind: "module", path };
  if (existsSync(join(path, "flake.nix"))) return flakeConfiguration(word);
  if (existsSync(join(path, "configuration.nix"))) return { kind: "module", path: join(path, "configuration.nix") };
  return { kind: "file", path: systemFile(path), attribute: undefined };
}

function flakeConfiguration(text: string): OsConfiguration {
  const hash = text.indexOf("#");
  const reference = hash < 0 ? text : text.slice(0, hash);
  const name = hash < 0 || hash === text.length - 1 ? undefined : text.slice(hash + 1);
  return { kind: "flake", reference: reference === "" ? "." : reference, name };
}

function systemFile(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return path;
  for (const name of ["system.nix", "default.nix"]) if (existsSync(join(path, name))) return join(path, name);
  return path;
}

/** Returns the requirements of a configuration: evaluation is pure for flakes only. */
export function configurationNeeds(configuration: OsConfiguration): EvaluationNeeds {
  return { impure: configuration.kind !== "flake" };
}

/** Returns the value at an attribute path of a configuration, e.g. `config.system.build.toplevel`. */
export async function findInConfiguration(
  session: EvaluationSession,
  configuration: OsConfiguration,
  attrPath: string,
): Promise<Found> {
  const { storeDir } = await session.store();
  return findSystemValue(configuration, attrPath, {
    storeDir,
    evaluation: () => session.evaluation(),
    installables: session.installables,
    baseDirectory: session.io.cwd,
    warn: (text) => session.progress.warn(text),
  });
}
