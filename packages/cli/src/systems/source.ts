/** The source of a configuration as it is kept with each generation: the tree of a flake and its inputs, or a module's directory. */
import { basename, dirname, join, relative } from "node:path";
import { type Found, type GraphNode, isLockedNode, type LockedFlake, relativePathOf } from "@firn/flake";
import { makeFixedOutputPath, parseHash } from "@firn/formats";
import type { MachineStore } from "@firn/store";
import { existsSync, lstatSync, readdirSync, realpathSync } from "@firn/store/files";
import type { OsConfiguration } from "@firn/system";
import { addSource, type ConfigurationSource, findGenerations, keepSource, linkTarget } from "@firn/system";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import type { Session } from "../session/session.ts";
import type { BuiltConfiguration } from "./build.ts";
import { systemProfile } from "./profiles.ts";

/** Most bytes and files of the directory of a module that are kept with it. */
const limits = { bytes: 16 << 20, files: 2000 };

/** Adds the source of a built configuration to the store; returns its store path, or undefined for one that is no file. */
export async function sourceOf(
  session: EvaluationSession,
  configuration: OsConfiguration,
  { found }: Pick<BuiltConfiguration, "found">,
): Promise<string | undefined> {
  const store = await session.store();
  const source = await findSource(session, store, { configuration, found });
  return source === undefined ? undefined : addSource(store, source);
}

async function findSource(
  session: EvaluationSession,
  store: MachineStore,
  { configuration, found }: { readonly configuration: OsConfiguration; readonly found: Found },
): Promise<ConfigurationSource | undefined> {
  switch (configuration.kind) {
    case "flake": {
      if (found.locked === undefined) return undefined;
      const { storePath, dir } = (await (await session.evaluation()).stored(found.locked)).flake;
      return { tree: storePath, file: join(dir, "flake.nix"), inputs: await presentInputs(store, found.locked) };
    }
    case "search-path":
      return undefined;
    case "file":
    case "module":
      return moduleSource(session, store, configuration.path);
  }
}

/** Returns the trees of a flake's inputs that are in the store; none is fetched for this. */
async function presentInputs(store: MachineStore, locked: LockedFlake): Promise<string[]> {
  const seen = new Set<GraphNode>();
  const paths = new Set<string>();
  const visit = async (node: GraphNode): Promise<void> => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const edge of node.inputs.values()) {
      if (edge.kind !== "node" || !isLockedNode(edge.node)) continue;
      const narHash = edge.node.lockedRef.input.get("narHash");
      if (typeof narHash === "string" && relativePathOf(edge.node.lockedRef) === undefined) {
        const hash = parseHash(narHash, "sha256");
        const path = makeFixedOutputPath({ method: "nar", hash }, { name: "source", storeDir: store.storeDir });
        if (await store.isValidPath(path)) paths.add(path);
      }
      await visit(edge.node);
    }
  };
  await visit(locked.root);
  return [...paths];
}

/** Returns the source of a file: its directory without what others may not read, or the file alone when that is too much. */
async function moduleSource(
  session: EvaluationSession,
  store: MachineStore,
  path: string,
): Promise<ConfigurationSource> {
  const file = realpathSync(path);
  const directory = dirname(file);
  const whole = isSmall(directory);
  if (!whole) session.progress.warn(`'${directory}' holds much else, so only '${file}' is kept with the generation`);
  const tree = await store.addPath(directory, {
    name: "source",
    method: "nar",
    filter: (entry) => {
      const place = join(directory, entry);
      if (!whole) return place === file || place === directory;
      return !isLeftOut(place);
    },
  });
  return { tree: tree.path, file: relative(directory, file), inputs: [] };
}

/** Tells whether a file is no part of a configuration: private to its owner, a repository's own, or what a build left. */
function isLeftOut(path: string): boolean {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return basename(path).startsWith("result");
  return !(stat.isFile() || stat.isDirectory()) || (stat.mode & 0o004) === 0 || basename(path) === ".git";
}

function isSmall(directory: string): boolean {
  let { bytes, files } = limits;
  const visit = (path: string): void => {
    for (const name of readdirSync(path)) {
      const entry = join(path, name);
      if (isLeftOut(entry)) continue;
      const stat = lstatSync(entry);
      files--;
      bytes -= stat.size;
      if (files < 0 || bytes < 0) return;
      if (stat.isDirectory()) visit(entry);
    }
  };
  visit(directory);
  return files >= 0 && bytes >= 0;
}

/** Keeps a source with the current generation of the machine's profile, when that is the given system. */
export async function keepWithGeneration(session: Session, system: string, source: string | undefined): Promise<void> {
  if (source === undefined) return;
  const store = await session.store();
  // Systems of NixOS are left as nixos-rebuild leaves them.
  if (!existsSync(join(store.realPath(system), "firn-os.json"))) return;
  const profile = await systemProfile(session);
  const { generations, current } = findGenerations(profile);
  const generation = generations.find(({ number }) => number === current);
  if (generation === undefined || linkTarget(generation.link) !== system) return;
  await keepSource(store, { profile, generation: generation.number, source });
}
