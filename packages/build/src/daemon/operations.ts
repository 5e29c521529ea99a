/** The operations of the worker protocol, over a store of this machine. */
import {
  type DerivedPath,
  derivationKind,
  derivationStorePath,
  FirnError,
  type PathInfo,
  showSize,
  wire,
} from "@firn/formats";
import {
  type BuildResult,
  DerivationHashes,
  disk,
  type EventSink,
  type MachineStore,
  offered,
  readFileChunks,
  realisationsOf as realisationsOfGiven,
  requirePathInfo,
  type Store,
  WireConnection,
  withTemporaryDirectory,
  writeBuildResult,
} from "@firn/store";
import { closeSync } from "@firn/store/files";
import type { StoreBuilder } from "../store-builder.ts";
import type { ClientRights } from "./client-settings.ts";
import { type RequestBody, requestBody } from "./request-body.ts";

const { workerOperations: operations } = wire;

/** The name of an operation. */
export type OperationName = keyof typeof operations;

/** The surroundings of one operation. */
export interface OperationContext {
  readonly ends: WireConnection;
  readonly peer: wire.WirePeer;
  readonly rights: ClientRights;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  readonly events: EventSink;
  store(): Promise<MachineStore>;
  builder(): Promise<StoreBuilder>;
  substituters(): Promise<readonly Store[]>;
  applyOptions(options: wire.WireValue<typeof wire.clientOptions>): void;
  /** Asks the client for so many bytes. */
  ask(length: number): Promise<void>;
  /** Does the work of an operation; its messages go to the client. Returns undefined when it failed, which the client was told. */
  answering<Result>(work: () => Promise<Result>): Promise<{ readonly result: Result } | undefined>;
}

/** Reads the request of an operation, does it and answers. Fails when the request cannot be read, or the client is gone. */
export async function performOperation(name: OperationName, context: OperationContext): Promise<void> {
  switch (name) {
    case "IsValidPath":
      return simple(operations[name], context, async ({ path }) => (await context.store()).isValidPath(path));
    case "QueryReferrers":
      return simple(operations[name], context, async ({ path }) => (await context.store()).queryReferrers(path));
    case "AddToStore":
      return addToStore(context);
    case "AddTextToStore":
      return simple(operations[name], context, async ({ name: label, text, references }) =>
        (await context.store()).addTextToStore(label, text, references),
      );
    case "BuildPaths":
      return simple(operations[name], context, async ({ paths, mode }) => {
        requireMode(context, mode);
        const builder = await context.builder();
        const opaque = paths.flatMap((path) => (path.kind === "opaque" ? [path.path] : []));
        if (mode === "repair") for (const path of opaque) await builder.repair(path);
        const built = mode === "repair" ? paths.filter(({ kind }) => kind === "built") : paths;
        await builder.build(built, mode);
        return undefined;
      });
    case "EnsurePath":
      return simple(operations[name], context, async ({ path }) => {
        await (await context.builder()).build([{ kind: "opaque", path }]);
        return undefined;
      });
    case "AddTempRoot":
      return simple(operations[name], context, async ({ path }) => (await context.store()).addTempRoot(path));
    case "AddIndirectRoot":
      return simple(operations[name], context, async ({ link }) => (await context.store()).addIndirectRoot(link));
    case "SyncWithGC":
      return simple(operations[name], context, async () => undefined);
    case "FindRoots":
      return simple(operations[name], context, () => findRoots(context));
    case "QueryDeriver":
      return simple(
        operations[name],
        context,
        async ({ path }) => (await requirePathInfo(await context.store(), path)).deriver,
      );
    case "SetOptions":
      return simple(operations[name], context, async (options) => {
        context.applyOptions(options);
        return undefined;
      });
    case "CollectGarbage":
      return simple(operations[name], context, (request) => collectGarbage(context, request));
    case "QuerySubstitutablePathInfo":
      return simple(operations[name], context, async ({ path }) => (await substitutable(context, [path])).get(path));
    case "QueryDerivationOutputs":
      return simple(operations[name], context, async ({ path }) => [
        ...(await (await context.store()).queryDerivationOutputs(path)).values(),
      ]);
    case "QueryAllValidPaths":
      return simple(operations[name], context, async () => (await context.store()).queryAllValidPaths());
    case "QueryPathInfo":
      return simple(operations[name], context, async ({ path }) => (await context.store()).queryPathInfo(path));
    case "QueryDerivationOutputNames":
      return simple(operations[name], context, async ({ path }) => [
        ...(await context.store()).readDerivation(path).outputs.keys(),
      ]);
    case "QueryPathFromHashPart":
      return simple(operations[name], context, async ({ hashPart }) =>
        (await context.store()).queryPathFromHashPart(hashPart),
      );
    case "QuerySubstitutablePathInfos":
      return simple(operations[name], context, async (paths) =>
        [...(await substitutable(context, [...paths.keys()]))].map(([path, facts]) => ({ path, ...facts })),
      );
    case "QueryValidPaths":
      return simple(operations[name], context, async ({ paths, substitute }) => {
        const store = await context.store();
        if (substitute) await fetchMissing(context, paths);
        return [...(await store.queryValidPaths(paths))];
      });
    case "QuerySubstitutablePaths":
      return simple(operations[name], context, async ({ paths }) => [...(await substitutable(context, paths)).keys()]);
    case "QueryValidDerivers":
      return simple(operations[name], context, async ({ path }) => (await context.store()).queryValidDerivers(path));
    case "OptimiseStore":
      return simple(operations[name], context, () => optimise(context));
    case "VerifyStore":
      return simple(operations[name], context, (request) => verify(context, request));
    case "BuildDerivation":
      return simple(operations[name], context, (request) => buildDerivation(context, request));
    case "AddSignatures":
      return simple(operations[name], context, async ({ path, signatures }) =>
        (await context.store()).addSignatures(path, signatures),
      );
    case "NarFromPath":
      return narFromPath(context);
    case "AddToStoreNar":
      return addToStoreNar(context);
    case "QueryMissing":
      return simple(operations[name], context, async ({ paths }) => {
        const missing = await (await context.builder()).missing(paths);
        return { ...missing, downloadSize: BigInt(missing.downloadSize), narSize: BigInt(missing.narSize) };
      });
    case "QueryDerivationOutputMap":
      return simple(operations[name], context, ({ path }) => outputMap(context, path));
    case "RegisterDrvOutput":
      return simple(operations[name], context, async (realisation) =>
        (await context.store()).registerRealisation(realisation, {
          checkSignatures: context.rights === "untrusted",
        }),
      );
    case "QueryRealisation":
      return simple(operations[name], context, async ({ id }) => {
        const realisation = await (await context.store()).queryRealisation(id);
        return realisation === undefined ? [] : [{ outPath: realisation.outPath, realisation }];
      });
    case "AddMultipleToStore":
      return addMultiple(context);
    case "AddBuildLog":
      return addBuildLog(context);
    case "BuildPathsWithResults":
      return simple(operations[name], context, (request) => buildWithResults(context, request));
    case "AddPermRoot":
      return simple(operations[name], context, async ({ path, link }) => {
        if (context.rights === "untrusted") {
          throw notPrivileged(
            "you are not privileged to create perm roots\n\nhint: you can just do this client-side without special privileges, and probably want to do that instead.",
          );
        }
        return (await context.store()).addPermRoot(path, link);
      });
  }
}

function notPrivileged(text: string): FirnError {
  return new FirnError("not-privileged", text);
}

/** Does an operation that has no data beside its request and its answer. */
async function simple<Request, Answer>(
  operation: wire.WireOperation<Request, Answer>,
  context: OperationContext,
  work: (request: Request) => Promise<Answer>,
): Promise<void> {
  const request = await context.ends.read(operation.request, context.peer);
  await finish(operation, context, await context.answering(() => work(request)));
}

async function finish<Request, Answer>(
  operation: wire.WireOperation<Request, Answer>,
  { ends, peer }: OperationContext,
  done: { readonly result: Answer } | undefined,
): Promise<void> {
  if (done !== undefined) await ends.write(wire.encodeWire(operation.answer, done.result, peer));
}

/** Does an operation with data after its request; what it leaves of them is skipped. */
async function withBody<Request, Answer>(
  operation: wire.WireOperation<Request, Answer>,
  context: OperationContext,
  options: {
    readonly size?: (request: Request) => number;
    readonly work: (request: Request, body: RequestBody) => Promise<Answer>;
  },
): Promise<void> {
  const { ends, peer } = context;
  const request = await ends.read(operation.request, peer);
  const form = wire.requestBody(operation, peer.version);
  const body = requestBody(ends, form, { peer, size: options.size?.(request) ?? 0, ask: context.ask });
  const done = await context.answering(async () => {
    const answer = await options.work(request, body);
    await body.skip();
    return answer;
  });
  // A client that was told of a failure may still send, up to the end of its data.
  if (done === undefined) await body.skip();
  await finish(operation, context, done);
}

/** Adds an object whose path follows from its content. It waits in a file until all of it has come and its path is known. */
function addToStore(context: OperationContext): Promise<void> {
  return withBody(operations.AddToStore, context, {
    async work({ name, method, algorithm, references, repair }, body) {
      requireMode(context, repair ? "repair" : "normal");
      const store = await context.store();
      const form = wire.requestBody(operations.AddToStore, context.peer.version);
      const info = await withTemporaryDirectory("firn-add-", async (directory) => {
        const file = `${directory}/content`;
        await save(body.chunks, file);
        const options = { name, method, algorithm, references, repair };
        const plain = form === "framed" && (method === "flat" || method === "text");
        return plain ? store.addPath(file, options) : store.addContent(() => readFileChunks(file), options);
      });
      return { path: info.path, info };
    },
  });
}

async function save(chunks: AsyncIterable<Uint8Array>, file: string): Promise<void> {
  const fd = disk.create(file, 0o600);
  try {
    for await (const chunk of chunks) disk.write(fd, chunk);
  } finally {
    closeSync(fd);
  }
}

/** Returns the facts about a path as a client may tell them: when it was registered here is not among them. */
function toldFacts({ registrationTime: _time, ultimate, ...info }: PathInfo, rights: ClientRights): PathInfo {
  return { ...info, ...(ultimate === true && rights !== "untrusted" ? { ultimate } : {}) };
}

function addToStoreNar(context: OperationContext): Promise<void> {
  return withBody(operations.AddToStoreNar, context, {
    size: ({ info }) => info.narSize,
    async work({ info, repair, dontCheckSignatures }, body) {
      requireMode(context, repair ? "repair" : "normal");
      const store = await context.store();
      const checkSignatures = context.rights === "untrusted" || !dontCheckSignatures;
      await store.addToStore(toldFacts(info, context.rights), body.chunks, { repair, checkSignatures });
      return undefined;
    },
  });
}

function addMultiple(context: OperationContext): Promise<void> {
  return withBody(operations.AddMultipleToStore, context, {
    async work({ repair, dontCheckSignatures }, body) {
      requireMode(context, repair ? "repair" : "normal");
      const store = await context.store();
      const checkSignatures = context.rights === "untrusted" || !dontCheckSignatures;
      const inner = new WireConnection({ input: body.chunks, write: async () => undefined });
      const { peer } = context;
      const count = await inner.read(wire.number, peer);
      for (let i = 0; i < count; i++) {
        const info = await inner.read(wire.pathInfoOfMany, peer);
        const nar = inner.bytes(info.narSize);
        const facts = { ...toldFacts(info, context.rights), ultimate: false };
        await store.addToStore(facts, uninterrupted(nar), { repair, checkSignatures });
        // A path that is there already leaves its archive unread.
        for await (const _ of nar);
      }
      return undefined;
    },
  });
}

/** The same data, which a loop that is left early does not end. */
function uninterrupted(source: AsyncGenerator<Uint8Array, void, undefined>): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => ({ next: () => source.next() }) };
}

function addBuildLog(context: OperationContext): Promise<void> {
  return withBody(operations.AddBuildLog, context, {
    async work({ drvPath }, body) {
      if (context.rights === "untrusted") throw notPrivileged("you are not privileged to add logs");
      await (await context.store()).addBuildLog(drvPath, body.chunks);
      return undefined;
    },
  });
}

async function narFromPath(context: OperationContext): Promise<void> {
  const { ends, peer } = context;
  const { path } = await ends.read(operations.NarFromPath.request, peer);
  const done = await context.answering(async () => {
    const store = await context.store();
    await requirePathInfo(store, path);
    return store.narFromPath(path);
  });
  if (done !== undefined) for await (const chunk of done.result) await ends.write(chunk);
}

function requireMode({ rights }: OperationContext, mode: "normal" | "repair" | "check"): void {
  // A repair replaces files that others use meanwhile.
  if (mode === "repair" && rights === "untrusted") {
    throw notPrivileged("repairing is not allowed because you are not in 'trusted-users'");
  }
}

async function buildWithResults(
  context: OperationContext,
  { paths, mode }: { readonly paths: readonly DerivedPath[]; readonly mode: "normal" | "repair" | "check" },
): Promise<wire.WireValue<typeof operations.BuildPathsWithResults.answer>> {
  requireMode(context, mode);
  const store = await context.store();
  const builder = await context.builder();
  const results = mode === "repair" ? await repaired(builder, paths) : await builder.results(paths, mode);
  const hashes = new DerivationHashes(store);
  const told = [];
  for (const result of results) {
    told.push({ path: result.path, result: writeBuildResult(result, await realisationsOf(store, hashes, result)) });
  }
  return told;
}

/** Replaces what is damaged of the paths, and of what they refer to. */
async function repaired(builder: StoreBuilder, paths: readonly DerivedPath[]): Promise<BuildResult[]> {
  const results: BuildResult[] = [];
  for (const path of paths) {
    try {
      if (path.kind === "built") results.push(...(await builder.build([path], "repair")));
      else {
        await builder.repair(path.path);
        results.push({ path, outputs: new Map() });
      }
    } catch (error) {
      if (!(error instanceof FirnError) || error.code === "aborted") throw error;
      results.push({ path, outputs: new Map(), error });
    }
  }
  return results;
}

/** Returns what the outputs of a result were built to, in the form of the protocol. */
async function realisationsOf(
  store: MachineStore,
  hashes: DerivationHashes,
  { path, outputs }: BuildResult,
): Promise<wire.Realisation[]> {
  if (path.kind === "opaque" || outputs.size === 0) return [];
  const derivation = store.readDerivation(path.drvPath);
  if (derivationKind(derivation) === "impure") return [];
  const found: wire.Realisation[] = [];
  for (const [name, outPath] of outputs) {
    const id = hashes.outputId(derivation, name);
    const known = await store.queryRealisation(id);
    found.push(known?.outPath === outPath ? known : { id, outPath, signatures: [] });
  }
  return found;
}

async function buildDerivation(
  context: OperationContext,
  { target, mode }: wire.WireValue<typeof operations.BuildDerivation.request>,
): Promise<wire.WireValue<typeof operations.BuildDerivation.answer>> {
  const { rights } = context;
  const full = { ...target.derivation, inputDrvs: new Map() };
  const kind = derivationKind(full);
  requireMode(context, mode);
  const contentAddressed = kind === "fixed" || kind === "floating";
  if (rights === "untrusted" && !contentAddressed) {
    throw notPrivileged("you are not privileged to build input-addressed derivations");
  }
  const store = await context.store();
  let { drvPath } = target;
  if (rights === "untrusted") {
    // The name of the file is no proof of what is built: it gets its own.
    const { contents, references } = derivationStorePath(full, store.storeDir);
    drvPath = await store.addTextToStore(`${full.name}.drv`, contents, references);
  }
  const builder = await context.builder();
  let outputs: ReadonlyMap<string, string> = new Map();
  let failure: FirnError | undefined;
  try {
    outputs = await builder.derivation({ drvPath, derivation: target.derivation }, mode);
  } catch (error) {
    if (!(error instanceof FirnError) || error.code === "aborted") throw error;
    failure = error;
  }
  const realisations = realisationsOfGiven(store, target.derivation, outputs);
  return writeBuildResult(failure === undefined ? {} : { error: failure }, realisations);
}

async function outputMap(context: OperationContext, drvPath: string): Promise<Map<string, string | undefined>> {
  const store = await context.store();
  await requirePathInfo(store, drvPath);
  const known = await store.queryDerivationOutputs(drvPath);
  const names = [...store.readDerivation(drvPath).outputs.keys()];
  return new Map(names.map((name) => [name, known.get(name)]));
}

/** The roots; those of running programs tell other users nothing of these. */
async function findRoots(context: OperationContext): Promise<{ readonly link: string; readonly target: string }[]> {
  const roots: { link: string; target: string }[] = [];
  for (const [target, links] of await offered(await context.store(), "roots").findRoots()) {
    const shown = [...links].map((link) =>
      context.rights === "untrusted" && (link.startsWith("/proc/") || link.startsWith("{")) ? "{censored}" : link,
    );
    for (const link of new Set(shown)) roots.push({ link, target });
  }
  return roots;
}

const gcActions = {
  "return-live": "live",
  "return-dead": "dead",
  "delete-dead": "delete-dead",
  "delete-specific": "delete-specific",
} as const;

async function collectGarbage(
  context: OperationContext,
  request: wire.WireValue<typeof wire.gcOptions>,
): Promise<wire.WireValue<typeof wire.gcResult>> {
  if (request.ignoreLiveness) throw notPrivileged("you are not allowed to ignore liveness");
  const { maxFreed, pathsToDelete } = request;
  const action = gcActions[request.action];
  const { paths, bytesFreed, failures } = await offered(await context.store(), "roots").collectGarbage({
    action,
    signal: context.gone,
    ...(action === "delete-specific" ? { paths: pathsToDelete } : {}),
    ...(maxFreed > BigInt(Number.MAX_SAFE_INTEGER) ? {} : { maxFreed: Number(maxFreed) }),
  });
  for (const { path, reason } of failures) {
    context.events({ kind: "message", level: "warn", text: `cannot delete '${path}': ${reason}` });
  }
  return { paths, bytesFreed: BigInt(bytesFreed) };
}

type Substitutable = NonNullable<wire.WireValue<typeof operations.QuerySubstitutablePathInfo.answer>>;

/** Returns the facts about those of the paths that a substituter has. */
async function substitutable(
  context: OperationContext,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Substitutable>> {
  const found = new Map<string, Substitutable>();
  for (const substituter of await context.substituters()) {
    for (const path of paths) {
      if (found.has(path)) continue;
      try {
        const info: (PathInfo & { readonly fileSize?: number }) | undefined = await substituter.queryPathInfo(path);
        if (info === undefined) continue;
        const { deriver, references, narSize, fileSize = 0 } = info;
        found.set(path, { deriver, references, downloadSize: BigInt(fileSize), narSize: BigInt(narSize) });
      } catch (error) {
        if (!(error instanceof FirnError)) throw error;
        context.events({ kind: "message", level: "warn", text: error.message });
        break;
      }
    }
  }
  return found;
}

/** Fetches what substituters have of the paths; that others cannot be fetched is no failure. */
async function fetchMissing(context: OperationContext, paths: readonly string[]): Promise<void> {
  const builder = await context.builder();
  const { willSubstitute } = await builder.missing(paths.map((path) => ({ kind: "opaque", path })));
  const wanted = paths.filter((path) => willSubstitute.includes(path));
  if (wanted.length > 0) await builder.results(wanted.map((path) => ({ kind: "opaque", path })));
}

async function optimise(context: OperationContext): Promise<undefined> {
  const saved = await offered(await context.store(), "upkeep").optimiseStore();
  if (saved === undefined) return;
  const text = `${showSize(saved.bytesFreed)} freed by hard-linking ${saved.filesLinked} files`;
  context.events({ kind: "message", level: "info", text });
}

async function verify(
  context: OperationContext,
  { checkContents, repair }: { readonly checkContents: boolean; readonly repair: boolean },
): Promise<boolean> {
  if (repair && context.rights === "untrusted") throw notPrivileged("you are not privileged to repair paths");
  const builder = await context.builder();
  const mend = async (path: string): Promise<boolean> => {
    try {
      await builder.repair(path);
      return true;
    } catch (error) {
      if (!(error instanceof FirnError) || error.code === "aborted") throw error;
      context.events({ kind: "message", level: "warn", text: error.message });
      return false;
    }
  };
  return offered(await context.store(), "upkeep").verifyStore({ checkContents, ...(repair ? { repair: mend } : {}) });
}
