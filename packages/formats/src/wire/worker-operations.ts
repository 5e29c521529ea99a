/** The operations of the worker protocol, which `nix-daemon` answers. Before each answer comes a stream of messages. */
import { type HashAlgorithm, parseHashAlgorithm } from "../hash/algorithm.ts";
import type { PathInfo } from "../narinfo/path-info.ts";
import {
  type ContentAddressMethod,
  parseMethodAlgorithm,
  printMethodAlgorithm,
} from "../store-path/content-address.ts";
import { buildMode, buildResult, keyedBuildResult, namedDerivation } from "./build.ts";
import {
  bigNumber,
  changedIn,
  choice,
  convert,
  done,
  flag,
  list,
  mapOf,
  nothing,
  number,
  obsolete,
  optional,
  record,
  setOf,
  since,
  string,
  stringSet,
  type WireCodec,
} from "./codec.ts";
import { derivedPaths } from "./derived-path.ts";
import { protocolError } from "./input.ts";
import { operation } from "./operation.ts";
import { pathInfo, unkeyedPathInfo } from "./path-info.ts";
import { drvOutput, type Realisation, realisation, realisations } from "./realisation.ts";
import {
  optionalContentAddress,
  optionalStorePath,
  signatures,
  storePath,
  storePathByName,
  storePaths,
} from "./store-values.ts";
import { wireVersion, workerProtocol } from "./version.ts";

/** The version since which an operation exists when every supported version has it. */
const always = workerProtocol.oldestClient;
const minor = (version: number): number => wireVersion(1, version);

/** The method by which an object is added whose path follows from its content. */
export interface AddedContent {
  readonly name: string;
  readonly method: ContentAddressMethod;
  readonly algorithm: HashAlgorithm;
  readonly references: readonly string[];
  readonly repair: boolean;
}

const methodAlgorithm = convert(
  string,
  (text) => {
    const colon = text.indexOf(":");
    if (text.startsWith("text:")) return parseMethodAlgorithm(text);
    if (text.slice(0, colon) !== "fixed")
      throw protocolError(`the peer sent '${text}', which is no content address method`);
    const found = parseMethodAlgorithm(text.slice(colon + 1));
    if (found.method === "text") throw protocolError(`the peer sent '${text}', which is no content address method`);
    return found;
  },
  ({ method, algorithm }) => (method === "text" ? "" : "fixed:") + printMethodAlgorithm(method, algorithm),
);

/** The form before version 1.25: SHA-256 of a NAR is told as not fixed, whatever the other fields say. */
const oldAddedContent: WireCodec<AddedContent> = convert(
  record({ name: string, fixed: flag, recursive: choice("ingestion method", ["flat", "nar"]), algorithm: string }),
  ({ name, fixed, recursive, algorithm }) => ({
    name,
    method: fixed ? recursive : "nar",
    algorithm: fixed ? parseHashAlgorithm(algorithm) : "sha256",
    references: [],
    repair: false,
  }),
  ({ name, method, algorithm, references, repair }) => {
    if ((method !== "flat" && method !== "nar") || references.length > 0 || repair) {
      throw protocolError(`the protocol is too old to add '${name}'`);
    }
    return { name, fixed: algorithm !== "sha256" || method !== "nar", recursive: method, algorithm };
  },
);

const newAddedContent: WireCodec<AddedContent> = convert(
  record({ name: string, how: methodAlgorithm, references: storePaths, repair: flag }),
  ({ name, how, references, repair }) => ({ name, ...how, references, repair }),
  ({ method, algorithm, ...others }) => ({ ...others, how: { method, algorithm } }),
);

/** The added path; its facts are told from version 1.25 on. */
type Added = { readonly path: string; readonly info: PathInfo | undefined };
const added: WireCodec<Added> = changedIn<Added>(
  minor(25),
  convert(
    storePath,
    (path) => ({ path, info: undefined }),
    ({ path }) => path,
  ),
  convert(
    pathInfo,
    (info) => ({ path: info.path, info }),
    ({ path, info }) => {
      if (info === undefined) throw protocolError(`the facts about '${path}' are missing`);
      return info;
    },
  ),
);

/** Settings of a client that hold for its connection. Zero cores means all cores of the machine. */
export const clientOptions = record({
  keepFailed: flag,
  keepGoing: flag,
  tryFallback: flag,
  verbosity: number,
  maxBuildJobs: number,
  maxSilentTime: number,
  useBuildHook: obsolete(1),
  verboseBuild: convert(
    number,
    (level) => level === 0,
    (verbose) => (verbose ? 0 : 7),
  ),
  logType: obsolete(0),
  printBuildTrace: obsolete(0),
  buildCores: number,
  useSubstitutes: flag,
  /** Other settings by their names. */
  overrides: mapOf(string, string),
});

/** Options of a garbage collection. `maxFreed` is in bytes and may be the largest number of 64 bits. */
export const gcOptions = record({
  action: choice("garbage collection action", ["return-live", "return-dead", "delete-dead", "delete-specific"]),
  pathsToDelete: storePaths,
  ignoreLiveness: flag,
  maxFreed: bigNumber,
  obsolete1: obsolete(0),
  obsolete2: obsolete(0),
  obsolete3: obsolete(0),
});

/**
 * The result of a garbage collection, actual or possible. The paths may include entries of the store directory that are not
 * store paths.
 */
export const gcResult = record({ paths: stringSet, bytesFreed: bigNumber, obsolete: obsolete(0) });

/** Facts about a path that can be fetched; sizes in bytes, zero when they are not known. */
const substitutableFields = {
  deriver: optionalStorePath,
  references: storePaths,
  downloadSize: bigNumber,
  narSize: bigNumber,
};

const pathsWithAddresses = mapOf(storePath, optionalContentAddress);
type PathsWithAddresses = Parameters<typeof pathsWithAddresses.write>[1];

/** The effects of realising paths; sizes in bytes. */
export const missingPaths = record({
  willBuild: storePaths,
  willSubstitute: storePaths,
  unknown: storePaths,
  downloadSize: bigNumber,
  narSize: bigNumber,
});

/** The path found for an output, with its realisation from version 1.31 on. */
export interface FoundOutput {
  readonly outPath: string;
  readonly realisation: Realisation | undefined;
}

const found: WireCodec<readonly FoundOutput[]> = changedIn<readonly FoundOutput[]>(
  minor(31),
  convert(
    storePaths,
    (paths) => paths.map((outPath) => ({ outPath, realisation: undefined })),
    (list) => list.map(({ outPath }) => outPath),
  ),
  convert(
    realisations,
    (list) => list.map((realisation) => ({ outPath: realisation.outPath, realisation })),
    (list) =>
      list.map(({ outPath, realisation }) => {
        if (realisation === undefined) throw protocolError(`the facts about '${outPath}' are missing`);
        return realisation;
      }),
  ),
);

const oldRealisation: WireCodec<Realisation> = convert(
  record({ id: drvOutput, outPath: storePathByName }),
  (fields) => ({ ...fields, signatures: [] }),
  (value) => value,
);

const onePath = record({ path: storePath });

/** The operations by their names. */
export const workerOperations = {
  IsValidPath: operation(1, always, onePath, flag),
  QueryReferrers: operation(6, always, onePath, storePaths),
  /** The body is a NAR, but from 1.25 on a plain file's contents for `flat` and `text`. */
  AddToStore: operation(7, always, changedIn(minor(25), oldAddedContent, newAddedContent), added, {
    body: [
      { since: always, form: "archive" },
      { since: minor(25), form: "framed" },
    ],
  }),
  /** Adds text; unused from 1.25 on. */
  AddTextToStore: operation(8, always, record({ name: string, text: string, references: storePaths }), storePath),
  BuildPaths: operation(9, always, record({ paths: derivedPaths, mode: buildMode }), done),
  EnsurePath: operation(10, always, onePath, done),
  AddTempRoot: operation(11, always, onePath, done),
  AddIndirectRoot: operation(12, always, record({ link: string }), done),
  /** Does nothing. */
  SyncWithGC: operation(13, always, nothing, done),
  FindRoots: operation(14, always, nothing, list(record({ link: string, target: storePath }))),
  QueryDeriver: operation(18, always, onePath, optionalStorePath),
  SetOptions: operation(19, always, clientOptions, nothing),
  CollectGarbage: operation(20, always, gcOptions, gcResult),
  QuerySubstitutablePathInfo: operation(21, always, onePath, optional(record(substitutableFields))),
  /** Returns output paths; unused from 1.22 on. */
  QueryDerivationOutputs: operation(22, always, onePath, storePaths),
  QueryAllValidPaths: operation(23, always, nothing, storePaths),
  QueryPathInfo: operation(26, always, onePath, optional(unkeyedPathInfo)),
  /** Returns output names; unused from 1.22 on. */
  QueryDerivationOutputNames: operation(28, always, onePath, stringSet),
  QueryPathFromHashPart: operation(29, always, record({ hashPart: string }), optionalStorePath),
  QuerySubstitutablePathInfos: operation(
    30,
    always,
    /** Content addresses are told from 1.22 on. */
    changedIn<PathsWithAddresses>(
      minor(22),
      convert(
        setOf(storePath),
        (paths) => new Map(paths.map((path) => [path, undefined])),
        (paths) => [...paths.keys()],
      ),
      pathsWithAddresses,
    ),
    list(record({ path: storePath, ...substitutableFields })),
  ),
  QueryValidPaths: operation(
    31,
    always,
    record({ paths: storePaths, substitute: since(minor(27), flag, false) }),
    storePaths,
  ),
  QuerySubstitutablePaths: operation(32, always, record({ paths: storePaths }), storePaths),
  QueryValidDerivers: operation(33, always, onePath, storePaths),
  OptimiseStore: operation(34, always, nothing, done),
  /** Answers true when errors remain. */
  VerifyStore: operation(35, always, record({ checkContents: flag, repair: flag }), flag),
  BuildDerivation: operation(36, always, record({ target: namedDerivation, mode: buildMode }), buildResult),
  AddSignatures: operation(37, always, record({ path: storePath, signatures }), done),
  NarFromPath: operation(38, always, onePath, nothing, { answerBody: "archive" }),
  AddToStoreNar: operation(39, always, record({ info: pathInfo, repair: flag, dontCheckSignatures: flag }), nothing, {
    body: [
      { since: always, form: "pulled" },
      { since: minor(23), form: "framed" },
    ],
  }),
  QueryMissing: operation(40, always, record({ paths: derivedPaths }), missingPaths),
  QueryDerivationOutputMap: operation(41, minor(22), onePath, mapOf(string, optionalStorePath)),
  /** Registers a realisation; introduced in 1.27, but the reference sends and answers it in every version. */
  RegisterDrvOutput: operation(42, always, changedIn(minor(31), oldRealisation, realisation), nothing),
  QueryRealisation: operation(43, minor(27), record({ id: drvOutput }), found),
  /** The framed data are a count, then for each path its facts (`pathInfoOfMany`) and its NAR. */
  AddMultipleToStore: operation(44, minor(32), record({ repair: flag, dontCheckSignatures: flag }), nothing, {
    body: [{ since: minor(32), form: "framed" }],
  }),
  /** Adds a build log; introduced in 1.32, but the reference sends and answers it in every version. */
  AddBuildLog: operation(45, always, record({ drvPath: storePathByName }), done, {
    body: [{ since: always, form: "framed" }],
  }),
  BuildPathsWithResults: operation(
    46,
    minor(34),
    record({ paths: derivedPaths, mode: buildMode }),
    list(keyedBuildResult),
  ),
  /** Answers the path at which the root was made. */
  AddPermRoot: operation(47, minor(36), record({ path: storePath, link: string }), string),
} as const;
