/** One build on another machine: its inputs are copied there, and its outputs back. */
import { type Derivation, derivationKind, derivationOutputPath, FirnError, type wire } from "@firn/formats";
import {
  type BuildResult,
  copyClosure,
  copyPaths,
  type EventSink,
  type PathBuilder,
  type PathFacts,
  type PathWriter,
  requirePathInfo,
  type Settings,
  type Store,
  sortTopologically,
} from "@firn/store";
import type { MachineLoad } from "./machine-load.ts";
import type { Machine } from "./machines.ts";

/** The surroundings of a build on another machine. */
export interface RemoteBuildContext {
  /** The store with the inputs, which gets the outputs; their locks are held. */
  readonly store: PathFacts & PathWriter;
  readonly settings: Settings;
  readonly events: EventSink;
  readonly load: MachineLoad;
  readonly machine: Machine;
  /** The machine's store, and what builds in it. */
  readonly remote: Store;
  readonly builder: PathBuilder;
  readonly signal: AbortSignal;
}

/** A derivation to build, with its inputs closed over references. */
export interface RemoteJob {
  readonly drvPath: string;
  readonly derivation: Derivation;
  readonly inputs: readonly string[];
}

/** Builds on another machine; returns the output paths by name, valid in the store. Errors `build-failed`, those of both stores. */
export async function buildRemotely(job: RemoteJob, context: RemoteBuildContext): Promise<ReadonlyMap<string, string>> {
  const { store, remote, machine, load, settings, events } = context;
  const tell = (text: string): void => events({ kind: "message", level: "talkative", text });
  // The number of paths is no news on each build.
  const copying: EventSink = (event) => events(event.kind === "message" ? { ...event, level: "talkative" } : event);
  const copies = {
    from: store,
    to: remote,
    checkSignatures: false,
    substitute: settings.get("builders-use-substitutes"),
    events: copying,
  };
  await load.uploading(machine, {
    waits: () => tell(`waiting for the upload lock to '${machine.uri}'...`),
    hogged: () => {
      const text = `somebody is hogging the upload lock for '${machine.uri}', continuing...`;
      events({ kind: "message", level: "error", text });
    },
    work: async () => {
      tell(`copying dependencies to '${machine.uri}'...`);
      await copyPaths(job.inputs, copies);
      if (!(await takesGiven(job, remote))) await copyClosure([job.drvPath], copies);
    },
  });
  const { outputs, error } = await run(job, context);
  if (error !== undefined) throw failure(job, { ...context, error });
  const known = outputPaths(job.derivation, { outputs, storeDir: store.storeDir, machine, drvPath: job.drvPath });
  tell(`copying outputs from '${machine.uri}'...`);
  await copyBack([...known.values()], { ...context, addressed: derivationKind(job.derivation) !== "input-addressed" });
  return known;
}

/**
 * Tells whether the other machine builds a derivation as it is given, which a server that does not trust this client does only
 * for content-addressed ones; one that tells nothing is taken to trust it.
 */
async function takesGiven({ derivation }: RemoteJob, remote: Store): Promise<boolean> {
  if (derivationKind(derivation) !== "input-addressed") return true;
  const facts = await remote.offers.server?.queryServer();
  return facts?.trusted !== false;
}

async function run(job: RemoteJob, context: RemoteBuildContext): Promise<Omit<BuildResult, "path">> {
  const { builder, remote, signal } = context;
  const { drvPath, derivation } = job;
  if (await takesGiven(job, remote)) {
    const { inputDrvs, ...rest } = derivation;
    // Other sources would make other ids of the outputs.
    const given: wire.BasicDerivation = inputDrvs.size === 0 ? rest : { ...rest, inputSrcs: [...job.inputs].sort() };
    return builder.buildDerivation({ drvPath, derivation: given }, { signal });
  }
  const [result] = await builder.buildPaths([{ kind: "built", drvPath, outputs: "*" }], { signal });
  if (result === undefined) throw new FirnError("remote-store", `the machine '${context.machine.uri}' gave no result`);
  return result;
}

function failure(
  { drvPath, derivation }: RemoteJob,
  { settings, events, machine, error }: RemoteBuildContext & { readonly error: FirnError },
): FirnError {
  if (error.code === "aborted") return error;
  if (settings.get("keep-failed")) {
    const here = [settings.get("system"), ...settings.get("extra-platforms")].includes(derivation.system);
    const how = here
      ? " You can re-run the command with `--builders ''` to disable remote building for this invocation."
      : "";
    const text = `The failed build directory was kept on the remote builder due to \`--keep-failed\`.${how}`;
    events({ kind: "message", level: "warn", text });
  }
  const message = `build of '${drvPath}' on '${machine.uri}' failed: ${error.message}`;
  return new FirnError("build-failed", message, { exitStatus: error.exitStatus, cause: error });
}

/** Returns the path of each output: the one that follows from the derivation, else what the machine tells. Error `remote-store`. */
function outputPaths(
  derivation: Derivation,
  {
    outputs,
    storeDir,
    machine,
    drvPath,
  }: {
    readonly outputs: ReadonlyMap<string, string>;
    readonly storeDir: string;
    readonly machine: Machine;
    readonly drvPath: string;
  },
): Map<string, string> {
  const paths = new Map<string, string>();
  for (const name of derivation.outputs.keys()) {
    const path = derivationOutputPath(derivation, name, storeDir) ?? outputs.get(name);
    if (path === undefined) {
      throw new FirnError(
        "remote-store",
        `the machine '${machine.uri}' does not tell the path of the output '${name}' of '${drvPath}'`,
      );
    }
    paths.set(name, path);
  }
  return paths;
}

/**
 * Copies outputs from the machine, references first. Outputs that are addressed by their content must say so, because the store
 * checks that only then.
 */
async function copyBack(
  paths: readonly string[],
  { store, remote, machine, events, addressed }: RemoteBuildContext & { readonly addressed: boolean },
): Promise<void> {
  const valid = await store.queryValidPaths(paths);
  const infos = new Map(
    await Promise.all(
      paths
        .filter((path) => !valid.has(path))
        .map(async (path) => [path, await requirePathInfo(remote, path)] as const),
    ),
  );
  for (const path of sortTopologically(infos.keys(), (item) => infos.get(item)?.references ?? [])) {
    const info = infos.get(path);
    if (info === undefined) continue;
    if (addressed && info.ca === undefined) {
      const text = `the machine '${machine.uri}' does not tell the content address of '${path}'`;
      throw new FirnError("remote-store", text);
    }
    events({ kind: "copy-start", path, from: remote.uri, to: store.uri, size: info.narSize });
    let ok = false;
    try {
      await store.addToStore({ ...info, ultimate: false }, remote.narFromPath(path), { locked: true });
      ok = true;
    } finally {
      events({ kind: "copy-end", path, ok });
    }
  }
}
