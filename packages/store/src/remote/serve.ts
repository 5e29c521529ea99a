/** Serves a store to another machine: the remote side of an `ssh://` store. */
import { type DerivedPath, derivationKind, FirnError, type PathInfo, wire } from "@firn/formats";
import { importFrom } from "../export/export.ts";
import { computeClosure } from "../store/closure.ts";
import { DerivationHashes } from "../store/derivation-hashes.ts";
import type { StoreFiles } from "../store/files.ts";
import type { PathFacts, PathGraph } from "../store/paths.ts";
import type { PathWriter } from "../store/writing.ts";
import { writeBuildResult } from "./build-results.ts";
import { type Connection, WireConnection } from "./wire.ts";

const { serveOperations: operations } = wire;

/** The rights of a client. */
export interface ServeOptions {
  /** True when it may write to the store. */
  readonly allowWrite: boolean;
  /** Fetches those of the paths that caches have, for a client that asks for that. */
  readonly substitute?: (paths: readonly string[]) => Promise<void>;
  /** Builds within the bounds that a client sets. */
  readonly builder?: (bounds: wire.WireValue<typeof wire.buildOptions>) => ServedBuilder;
}

/** Builds for a client. */
export interface ServedBuilder {
  /** Builds and fetches. Errors of builds. */
  build(paths: readonly DerivedPath[]): Promise<unknown>;
  /** Builds a derivation as it is given; returns its outputs. Errors of builds. */
  derivation(target: {
    readonly drvPath: string;
    readonly derivation: wire.BasicDerivation;
  }): Promise<ReadonlyMap<string, string>>;
}

/**
 * Answers a client of `nix-store --serve` until it closes the connection. Without `allowWrite` it can only read. Error
 * `protocol`, and those of invalid values in requests.
 */
export async function serveStore(
  store: PathFacts & PathGraph & PathWriter & StoreFiles,
  connection: Connection,
  { allowWrite, substitute, builder }: ServeOptions,
): Promise<void> {
  const ends = new WireConnection(connection);
  const peer = await ends.converse(wire.answerClient(ends.input, { storeDir: store.storeDir }));
  const requestOf = <Request>({ request }: { readonly request: wire.WireCodec<Request> }): Promise<Request> =>
    ends.read(request, peer);
  const answer = <Answer>({ answer }: { readonly answer: wire.WireCodec<Answer> }, value: Answer): Promise<void> =>
    ends.write(wire.encodeWire(answer, value, peer));
  while (!(await ends.atEnd())) {
    const command = await ends.read(wire.number, peer);
    const name = wire.operationName(operations, command, peer.version);
    switch (name) {
      case "QueryValidPaths": {
        const { lock, substitute: wanted, paths } = await requestOf(operations.QueryValidPaths);
        if (lock && allowWrite) for (const path of paths) await store.addTempRoot(path);
        if (wanted && allowWrite) await substitute?.(paths);
        await answer(operations.QueryValidPaths, [...(await store.queryValidPaths(paths))]);
        break;
      }
      case "QueryPathInfos": {
        const infos: PathInfo[] = [];
        for (const path of (await requestOf(operations.QueryPathInfos)).paths) {
          const info = await store.queryPathInfo(path);
          if (info !== undefined) infos.push(info);
        }
        await answer(operations.QueryPathInfos, infos);
        break;
      }
      case "DumpStorePath": {
        const { path } = await requestOf(operations.DumpStorePath);
        for await (const chunk of store.narFromPath(path)) await ends.write(chunk);
        break;
      }
      case "QueryClosure": {
        const { includeOutputs, paths } = await requestOf(operations.QueryClosure);
        await answer(
          operations.QueryClosure,
          await computeClosure(store, paths, includeOutputs ? { outputs: store } : {}),
        );
        break;
      }
      case "AddToStoreNar": {
        if (!allowWrite) throw new FirnError("protocol", "importing paths is not allowed");
        // When a path was registered there, and that the peer built it itself, is not taken from it.
        const { registrationTime: _time, ultimate: _word, ...info } = (await requestOf(operations.AddToStoreNar)).info;
        const nar = ends.bytes(info.narSize);
        // Who may start this program on the machine may write to its store: as there, no signature is asked for.
        await store.addToStore(info, nar, { checkSignatures: false });
        // A path that is there already leaves its archive unread.
        for await (const _ of nar);
        await answer(operations.AddToStoreNar, undefined);
        break;
      }
      case "ImportPaths": {
        if (!allowWrite) throw new FirnError("protocol", "importing paths is not allowed");
        await importFrom(store, ends, { checkSignatures: false });
        await answer(operations.ImportPaths, undefined);
        break;
      }
      case "BuildPaths": {
        const { paths, options } = await requestOf(operations.BuildPaths);
        if (!allowWrite || builder === undefined) throw new FirnError("protocol", "building paths is not allowed");
        const failure = await failureOf(() => builder(options).build(paths));
        await answer(operations.BuildPaths, { status: failure?.exitStatus ?? 0, message: failure?.message ?? "" });
        break;
      }
      case "BuildDerivation": {
        const { target, options } = await requestOf(operations.BuildDerivation);
        if (!allowWrite || builder === undefined) throw new FirnError("protocol", "building paths is not allowed");
        let outputs: ReadonlyMap<string, string> = new Map();
        const error = await failureOf(async () => {
          outputs = await builder(options).derivation(target);
        });
        const realisations = realisationsOf(store, target.derivation, outputs);
        const told = writeBuildResult(error === undefined ? {} : { error }, realisations);
        await answer(operations.BuildDerivation, told);
        break;
      }
      case undefined:
        throw new FirnError("protocol", `unknown serve command ${command}`);
    }
  }
}

/** Returns the error of a build that fails. */
async function failureOf(build: () => Promise<unknown>): Promise<FirnError | undefined> {
  try {
    await build();
    return undefined;
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    return error;
  }
}

/** Returns what the outputs of a derivation without input derivations were built to. */
export function realisationsOf(
  store: StoreFiles & Pick<PathFacts, "storeDir">,
  derivation: wire.BasicDerivation,
  outputs: ReadonlyMap<string, string>,
): wire.Realisation[] {
  const full = { ...derivation, inputDrvs: new Map() };
  if (derivationKind(full) === "impure") return [];
  const hashes = new DerivationHashes(store);
  return [...outputs].map(([name, outPath]) => ({ id: hashes.outputId(full, name), outPath, signatures: [] }));
}
