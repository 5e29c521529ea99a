/** Answers to what evaluations ask of store, builder and fetchers, on the main thread. */

import { copyToStore, type FetchContext, fetchArchive, fetchFile, fetchInput, isLockedInput } from "@firn/fetch";
import { FirnError, makeFixedOutputPath, makeTextPath, parseHash, printHash } from "@firn/formats";
import type { ContextElement, DerivationRequest, FetchRequest, PathFacts as HostPathFacts } from "@firn/language";
import { dumpPath, hashContent, type MachineStore, type Store } from "@firn/store";
import { lstatSync, readFileSync } from "@firn/store/files";
import type { FetchedSource, HostServices } from "../evaluator/services.ts";
import { storePlaces } from "../evaluator/store-places.ts";
import type { KeptTrees } from "../results/kept-trees.ts";
import { fetchClosure } from "./fetch-closure.ts";
import { checkPure, requestedInput } from "./requested-input.ts";
import { mercurialAttributes, treeAttributes } from "./tree-attributes.ts";
import { treeName } from "./tree-name.ts";

/** The surroundings of the services. */
export interface ServiceContext {
  readonly store: MachineStore;
  readonly fetch: FetchContext;
  /** True to compute store paths and write nothing. */
  readonly readOnly: boolean;
  /** True for pure evaluation: only locked trees may be fetched. */
  readonly pure: boolean;
  /** Builds or substitutes; resolves to `drvPath!output` → path for `output` elements. */
  realise(elements: readonly ContextElement[]): Promise<ReadonlyMap<string, string>>;
  /** Makes a path valid by substitution if possible; resolves to true when it is valid afterwards. */
  substitute(path: string): Promise<boolean>;
  /** Opens the binary cache of `fetchClosure`. */
  openStore(url: string): Promise<Store>;
  /** Fetches the tree of a flake, with the registries; resolves to its store path. */
  fetchFlake(reference: string): Promise<string>;
  warn(text: string): void;
  /** The store paths that trees had in earlier evaluations, where they are kept. */
  readonly keptTrees?: KeptTrees | undefined;
  /** Answers `builtins.getFlake` with the handle of the flake's value. */
  getFlake?(reference: string): Promise<number>;
}

/** Tells whether a fetch gives the same at any time, because its request says what it is to give. */
export function isRepeatable(request: FetchRequest, { pure }: Pick<ServiceContext, "pure">): boolean {
  if (pure) return true;
  switch (request.kind) {
    case "url":
    case "tarball":
      return request.sha256 !== undefined;
    case "tree":
      return isLockedInput(requestedInput(request));
    case "closure":
      return true;
  }
}

/** Makes the services of one evaluation. */
export function makeHostServices(context: ServiceContext): HostServices {
  const { store } = context;
  const placeOf = storePlaces({
    storeDir: store.storeDir,
    realStoreDir: store.location.realStoreDir,
    pure: context.pure,
    has: (place) => lstatSync(place, { throwIfNoEntry: false }) !== undefined,
  });
  const addPath: HostServices["addPath"] = async (request) => {
    const tree = context.keptTrees?.find(request, store.storeDir);
    if (tree?.storePath !== undefined) {
      if (context.readOnly) return tree.storePath;
      await store.addTempRoot(tree.storePath);
      if (await store.isValidPath(tree.storePath)) return tree.storePath;
    }
    const storePath = await readPath(request);
    tree?.keep(storePath);
    return storePath;
  };
  const readPath: HostServices["addPath"] = async (request) => {
    const { path: logical, name, method, expectedHash, include, references = [] } = request;
    const path = placeOf(logical);
    const filter = include === undefined ? undefined : includedFilter(include);
    if (expectedHash !== undefined) {
      const hash = parseHash(expectedHash, "sha256");
      const expected = makeFixedOutputPath({ method, hash }, { name, storeDir: store.storeDir });
      if (await store.isValidPath(expected)) return expected;
    }
    if (context.readOnly) {
      const { hash } = await hashContent(dumpPath(path, { filter, transient: true }), {
        method,
        algorithm: "sha256",
      });
      const target = { name, storeDir: store.storeDir, references: { others: references, self: false } };
      return makeFixedOutputPath({ method, hash }, target);
    }
    const added = await copyToStore(logical, context.fetch, async () => {
      const info = await store.addPath(path, { name, method, filter, references });
      return { storePath: info.path, narHash: printHash(info.narHash, "sri") };
    });
    return added.storePath;
  };
  return {
    addPath,
    async addText(name, contents, references) {
      if (!context.readOnly) return store.addTextToStore(name, contents, references);
      return makeTextPath(contents, {
        name,
        storeDir: store.storeDir,
        references: { others: references, self: false },
      });
    },
    async writeDerivations(requests) {
      // Their sources were not written either.
      if (context.readOnly) return;
      const missing: DerivationRequest[] = [];
      for (const request of requests) {
        await store.addTempRoot(request.drvPath);
        if (!(await store.isValidPath(request.drvPath))) missing.push(request);
      }
      const texts = missing.map(({ name, contents, references }) => {
        return { name: `${name}.drv`, contents, references, computed: true };
      });
      const written = await store.addTextsToStore(texts);
      for (const [i, { drvPath }] of missing.entries()) {
        if (written[i] === drvPath) continue;
        throw new FirnError("internal", `derivation '${drvPath}' was stored as '${written[i]}'`);
      }
    },
    async readDerivation(drvPath) {
      if (!(await store.isValidPath(drvPath)) && !(await context.substitute(drvPath))) {
        throw new FirnError("invalid-path", `path '${drvPath}' is not valid`);
      }
      return readFileSync(store.realPath(drvPath), "latin1");
    },
    realise: (elements) => context.realise(elements),
    async ensurePath(path) {
      if (!(await store.isValidPath(path)) && !(await context.substitute(path))) {
        throw new FirnError("invalid-path", `path '${path}' does not exist and cannot be created`);
      }
      await store.fetchFiles?.(path);
    },
    async queryPath(path): Promise<HostPathFacts | undefined> {
      const info = await store.queryPathInfo(path);
      if (info === undefined) return undefined;
      return { narHash: printHash(info.narHash, "sri"), narSize: info.narSize, references: info.references };
    },
    ...(context.getFlake === undefined ? {} : { getFlake: context.getFlake }),
    fetch: (request) => fetchFor(context, request),
    async resolveSearchPathUrl(url) {
      try {
        if (url.startsWith("flake:")) return await context.fetchFlake(url.slice("flake:".length));
        const plain = url.startsWith("channel:") ? `https://channels.nixos.org/${url.slice(8)}/nixexprs.tar.xz` : url;
        const tree = await fetchArchive(context.fetch, { url: plain, headers: {}, immutable: false });
        return tree.storePath;
      } catch (error) {
        if (!(error instanceof FirnError) || url.startsWith("flake:")) throw error;
        context.warn(`Nix search path entry '${url}' cannot be downloaded, ignoring`);
        return undefined;
      }
    },
  };
}

function includedFilter(include: readonly string[]): (path: string) => boolean {
  const kept = new Set(include);
  return (path) => kept.has(path);
}

async function fetchFor(context: ServiceContext, request: FetchRequest): Promise<FetchedSource> {
  if (request.kind === "tree") return fetchTree(context, request);
  if (request.kind === "closure") {
    const from = await context.openStore(request.fromStore);
    try {
      return { storePath: await fetchClosure(request, from, context.store), attributes: {} };
    } finally {
      await from.close();
    }
  }
  const { url, name, sha256 } = request;
  const method = request.kind === "url" ? "flat" : "nar";
  if (sha256 !== undefined) {
    const hash = parseHash(sha256, "sha256");
    const expected = makeFixedOutputPath({ method, hash }, { name, storeDir: context.store.storeDir });
    if ((await context.store.isValidPath(expected)) || (await context.substitute(expected)))
      return { storePath: expected, attributes: {} };
  }
  const storePath =
    request.kind === "url"
      ? await fetchFlat(context, url, name)
      : (await fetchArchive(context.fetch, { url, headers: {}, immutable: false, name })).storePath;
  if (sha256 !== undefined) await checkHash(context, storePath, { url, sha256, method });
  return { storePath, attributes: {} };
}

/** Downloads a file and stores it by its flat hash, as `builtins.fetchurl` does. */
async function fetchFlat(context: ServiceContext, url: string, name: string): Promise<string> {
  const { storePath } = await fetchFile(context.fetch, { url, name });
  const info = await context.store.addPath(context.store.realPath(storePath), { name, method: "flat" });
  return info.path;
}

async function checkHash(
  context: ServiceContext,
  storePath: string,
  expected: { readonly url: string; readonly sha256: string; readonly method: "flat" | "nar" },
): Promise<void> {
  const info = await context.store.queryPathInfo(storePath);
  const hash = expected.method === "nar" ? info?.narHash : info?.ca?.hash;
  const wanted = printHash(parseHash(expected.sha256, "sha256"), "sri");
  const got = hash === undefined ? "nothing" : printHash(hash, "sri");
  if (wanted !== got) {
    throw new FirnError(
      "hash-mismatch",
      `hash mismatch in file downloaded from '${expected.url}':\n  specified: ${wanted}\n  got:       ${got}`,
      { exitStatus: 102 },
    );
  }
}

async function fetchTree(
  context: ServiceContext,
  request: FetchRequest & { readonly kind: "tree" },
): Promise<FetchedSource> {
  const input = requestedInput(request);
  if (context.pure) checkPure(request, input, (text) => context.warn(text));
  const isFinal = request.builtin === "fetchFinalTree";
  const tree = await fetchInput(input, context.fetch, { isFinal });
  const shown = context.pure ? treeName(isFinal ? input : tree.locked, { isFinal }) : undefined;
  const attributes =
    request.builtin === "fetchMercurial" ? mercurialAttributes(tree.locked) : treeAttributes(tree.locked);
  return { storePath: tree.storePath, attributes, ...(shown === undefined ? {} : { shown }) };
}
