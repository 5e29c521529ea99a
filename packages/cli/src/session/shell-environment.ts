/** Development environments for `develop` and `print-dev-env`: found or built, kept from the garbage collector, as text for bash. */
import { join, resolve } from "node:path";
import {
  environmentDerivation,
  environmentScript,
  parseShellEnvironment,
  type ShellEnvironment,
  type ShellTextOptions,
  shellText,
} from "@firn/build";
import { type Found, type GraphNode, type LockedFlake, lockedTreePath, shellLookup, type Target } from "@firn/flake";
import { type Derivation, derivationStorePath, FirnError } from "@firn/formats";
import { DerivationHashes, type MachineStore } from "@firn/store";
import { lstatSync, mkdtempSync, readFileSync, temporaryParent, writeFileSync } from "@firn/store/files";
import { setProfile } from "@firn/system";
import type { Flag } from "../grammar/command.ts";
import { installableFlags } from "../grammar/flags.ts";
import { buildTargets } from "../targets/build-targets.ts";
import { derivationOf, pathsOf } from "../targets/store-targets.ts";
import type { EvaluationSession } from "./evaluation-session.ts";
import { keepShell } from "./shell-roots.ts";

/** Flags of the commands that need a development environment. */
export const shellEnvironmentFlags: readonly Flag[] = [
  ...installableFlags,
  { name: "profile", labels: ["path"], kinds: ["profile"], description: "Operate on the profile at path." },
  {
    name: "redirect",
    labels: ["installable", "outputs-dir"],
    kinds: ["installable", "directory"],
    description: "Redirect a store path to a mutable location.",
  },
];

/** An environment with its place. */
export interface ObtainedEnvironment {
  readonly environment: ShellEnvironment;
  /** Path of the environment in the store. */
  readonly path: string;
  /** The link that keeps it from the garbage collector; the path itself when there is none. */
  readonly root: string;
  /** The value and the flake it came from. */
  readonly found: Found | undefined;
}

/**
 * Returns the environment of the installable on the command line: that of a derivation, built if need be, or one that was built
 * before and is named by its path. Fails with `usage` when there are several derivations, else as building does.
 */
export async function obtainEnvironment(session: EvaluationSession): Promise<ObtainedEnvironment> {
  const { invocation, io } = session;
  const store = await session.store();
  const [installable] = session.installables.parse(invocation.positionals);
  if (installable === undefined) throw new FirnError("internal", "there is no installable");
  const target = await session.installables.target(installable, shellLookup(session.system));
  const path = await environmentPath(session, store, target);
  const profile = invocation.flags.value("profile");
  let root: string;
  if (profile === undefined) root = (await keepShell(store, path, io.env)) ?? path;
  else {
    root = resolve(io.cwd, profile);
    await setProfile(store, root, path);
  }
  const found = target.kind === "outputs" ? target.found : undefined;
  if (found?.locked !== undefined) {
    const own = await (await session.evaluation()).knownSource(found.locked);
    for (const source of await knownSources(store, found.locked, own)) await keepShell(store, source, io.env);
  }
  const environment = parseShellEnvironment(readFileSync(store.realPath(path), "latin1"));
  return { environment, path, root, found };
}

/** Returns the sources of a flake, `own`, and of its inputs that are in the store. */
async function knownSources(
  store: MachineStore,
  { root }: LockedFlake,
  own: string | undefined,
): Promise<readonly string[]> {
  const paths = new Set(own === undefined ? [] : [own]);
  const seen = new Set<GraphNode>();
  const visit = ({ inputs }: GraphNode): void => {
    for (const edge of inputs.values()) {
      if (edge.kind !== "node" || seen.has(edge.node)) continue;
      seen.add(edge.node);
      const path = lockedTreePath(edge.node.lockedRef, store.storeDir);
      if (path !== undefined) paths.add(path);
      visit(edge.node);
    }
  };
  visit(root);
  return [...(await store.queryValidPaths(paths))];
}

async function environmentPath(session: EvaluationSession, store: MachineStore, target: Target): Promise<string> {
  if (target.kind === "path" && target.path.endsWith("-env")) {
    await buildTargets(session, [target]);
    return target.path;
  }
  const drvPath = target.kind === "outputs" ? target.drvPath : await derivationOf(store, target.path);
  await session.builder.build([{ kind: "opaque", path: drvPath }]);
  const derivation = await writtenEnvironment(store, store.readDerivation(drvPath));
  const [built] = await buildTargets(session, [{ kind: "outputs", drvPath: derivation, outputs: "*" }]);
  for (const output of built?.outputs.values() ?? []) {
    if (lstatSync(store.realPath(output)).size > 0) return output;
  }
  throw new FirnError("bad-environment", `'${derivation}' has written no development environment`);
}

/** Writes the derivation of the environment of another one to the store; returns its path. */
async function writtenEnvironment(store: MachineStore, derivation: Derivation): Promise<string> {
  const script = await store.addTextToStore(environmentScript().name, environmentScript().contents, []);
  const hashes = new DerivationHashes(store);
  const { storeDir } = store;
  const environment = environmentDerivation(derivation, { script, storeDir, lookup: (path) => hashes.of(path) });
  const { path, contents, references } = derivationStorePath(environment, storeDir);
  return store.addTextToStore(path.slice(path.indexOf("-", storeDir.length) + 1), contents, references);
}

/** Returns the environment as text for bash, with the redirections of the command line and the files that it needs made. */
export async function environmentText(session: EvaluationSession, environment: ShellEnvironment): Promise<string> {
  const { io, invocation, progress } = session;
  const options: ShellTextOptions = {
    outputsDirectory: join(io.cwd, "outputs"),
    ...attributeFiles(environment),
  };
  const plain = shellText(environment, options);
  const rewrites = new Map<string, string>();
  for (const [word = "", directory = ""] of invocation.flags.all("redirect")) {
    for (const from of await pathsOf(session, [word], { realise: false })) {
      if (!plain.includes(from)) progress.warn(`'${word}' (path '${from}') is not used by this build environment`);
      else {
        const to = resolve(io.cwd, directory);
        progress.event({ kind: "message", level: "info", text: `redirecting '${from}' to '${to}'` });
        rewrites.set(from, to);
      }
    }
  }
  return rewrites.size === 0 ? plain : shellText(environment, { ...options, rewrites });
}

/** Writes the files with structured attributes to a directory of their own. */
function attributeFiles({ structuredAttributes }: ShellEnvironment): Pick<ShellTextOptions, "attributesDirectory"> {
  if (structuredAttributes === undefined) return {};
  const directory = mkdtempSync(join(temporaryParent(), "nix-dev-env-"));
  writeFileSync(join(directory, ".attrs.json"), structuredAttributes.json, "latin1");
  writeFileSync(join(directory, ".attrs.sh"), structuredAttributes.shell, "latin1");
  return { attributesDirectory: directory };
}
