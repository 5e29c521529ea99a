/**
 * Turns the files that a builder left into valid store paths: canonical metadata, references found by scanning, hashes
 * rewritten where the final path was not known, outputs in order, checks, one registration.
 */

import type { Stats } from "node:fs";
import {
  type ContentAddressMethod,
  createHasher,
  type Derivation,
  type DerivationOutput,
  derivationOutputPath,
  equalHashes,
  FirnError,
  type HashAlgorithm,
  makeFixedOutputPath,
  NarParser,
  outputPathName,
  type PathInfo,
  type SigningKey,
  signPathInfo,
  sortSignatures,
  storePathHashPart,
  storePathName,
} from "@firn/formats";
import {
  CycleError,
  canonicalise,
  disk,
  dumpPath,
  HashRewriter,
  hasErrorCode,
  hashNarContent,
  ReferenceScanner,
  RestoreSink,
  removePath,
  sortTopologically,
  withPlace,
} from "@firn/store";
import * as fs from "@firn/store/files";
import type { BuildStore } from "../build-store.ts";
import type { BuildOptions } from "../options.ts";
import { checkOutputs } from "./checks.ts";

/** The outputs of a build and their places. */
export interface RegisterRequest {
  readonly store: BuildStore;
  readonly drvPath: string;
  readonly derivation: Derivation;
  readonly options: BuildOptions;
  readonly inputPaths: ReadonlySet<string>;
  /** Output name → store path the builder wrote to. */
  readonly scratch: ReadonlyMap<string, string>;
  /** Returns the place of a scratch path on this machine. */
  readonly locate: (scratchPath: string) => string;
  /** Outputs that were valid before, by name; they stay as they are. */
  readonly valid: ReadonlyMap<string, string>;
  readonly mode: "normal" | "check" | "repair";
  readonly signingKeys: readonly SigningKey[];
  readonly ignoredAttributes: readonly string[];
  /** The only uid that may own files of the outputs, when builders run with a uid of their own. */
  readonly owner?: number;
  /** True to keep outputs that differ from those before, with `.check` after their name. */
  readonly keepFailed: boolean;
  /** Shows the difference of an output from the one before, whose places it gets. */
  readonly showDifference?: (paths: readonly [string, string]) => Promise<void>;
}

interface Candidate {
  readonly name: string;
  readonly scratchPath: string;
  real: string;
  /** A private copy, which is deleted unless it is moved. */
  temporary?: string;
  readonly references: ReadonlySet<string>;
  readonly executable: boolean;
  readonly isFile: boolean;
}

function rejected(message: string): FirnError {
  return new FirnError("output-rejected", message);
}

/** Registers the outputs; returns their paths by name. Errors `output-rejected`, `hash-mismatch`, `not-deterministic`, `cycle`. */
export async function registerOutputs(request: RegisterRequest): Promise<Map<string, string>> {
  const candidates = new Map<string, Candidate>();
  for (const [name, scratchPath] of request.scratch) {
    if (request.mode !== "check" && request.valid.has(name)) continue;
    candidates.set(name, inspect(request, name, scratchPath));
  }
  const order = sortOutputs(request, candidates);
  const rewrites = new Map<string, string>();
  for (const [name, path] of request.valid) {
    const scratchPath = request.scratch.get(name);
    if (scratchPath !== undefined && scratchPath !== path && request.mode !== "check") {
      rewrites.set(storePathHashPart(scratchPath), storePathHashPart(path));
    }
  }
  try {
    return await registerSorted(request, candidates, { order, rewrites });
  } finally {
    // What was moved to its place is no longer there.
    for (const { temporary } of candidates.values()) if (temporary !== undefined) removePath(temporary);
  }
}

async function registerSorted(
  request: RegisterRequest,
  candidates: ReadonlyMap<string, Candidate>,
  { order, rewrites }: { order: readonly string[]; rewrites: Map<string, string> },
): Promise<Map<string, string>> {
  const { store, derivation } = request;
  const infos = new Map<string, PathInfo>();
  for (const name of order) {
    const candidate = candidates.get(name)!;
    const output = derivation.outputs.get(name)!;
    const info = finalise(request, candidate, { output, rewrites });
    if (info.path !== candidate.scratchPath) {
      rewrites.set(storePathHashPart(candidate.scratchPath), storePathHashPart(info.path));
    }
    if (request.mode === "check") await compare(request, candidate, info);
    else await settle(request, candidate, info);
    infos.set(name, request.mode === "check" ? info : sign(request, info));
    if (info.ca !== undefined && request.mode !== "check") store.registerValidPaths([infos.get(name)!]);
  }
  await checkOutputs({ store, drvPath: request.drvPath, derivation, options: request.options, outputs: infos });
  if (request.mode !== "check") store.registerValidPaths([...infos.values()]);
  const result = new Map(request.valid);
  for (const [name, info] of infos) result.set(name, info.path);
  return result;
}

function inspect(request: RegisterRequest, name: string, scratchPath: string): Candidate {
  const real = request.locate(scratchPath);
  let stat: Stats;
  try {
    stat = fs.lstatSync(real);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR")) throw error;
    throw rejected(`builder for '${request.drvPath}' failed to produce output path for output '${name}' at "${real}"`);
  }
  if (!stat.isSymbolicLink() && (stat.mode & 0o022) !== 0) {
    throw rejected(`suspicious ownership or permission on "${real}" for output '${name}'; rejecting this build output`);
  }
  canonicalise(real, {
    keepAttributes: request.ignoredAttributes,
    ...(request.owner === undefined ? {} : { owner: request.owner }),
  });
  return {
    name,
    scratchPath,
    real,
    references: request.options.discardsReferences(name) ? new Set() : scan(request, real),
    executable: (stat.mode & 0o100) !== 0,
    isFile: stat.isFile(),
  };
}

function scan(request: RegisterRequest, real: string): Set<string> {
  const byHash = new Map<string, string>();
  for (const path of request.inputPaths) byHash.set(storePathHashPart(path), path);
  for (const path of request.scratch.values()) byHash.set(storePathHashPart(path), path);
  const scanner = new ReferenceScanner(byHash.keys());
  for (const chunk of dumpPath(real)) scanner.push(chunk);
  return new Set([...scanner.found].map((hash) => byHash.get(hash)!));
}

function sortOutputs(request: RegisterRequest, candidates: ReadonlyMap<string, Candidate>): string[] {
  const byScratch = new Map([...candidates.values()].map((candidate) => [candidate.scratchPath, candidate.name]));
  try {
    return sortTopologically(candidates.keys(), (name) =>
      [...candidates.get(name)!.references].flatMap((path) => byScratch.get(path) ?? []),
    );
  } catch (error) {
    if (!(error instanceof CycleError)) throw error;
    throw rejected(
      `cycle detected in build of '${request.drvPath}' in the references of output '${error.path}' from output '${error.parent}'`,
    );
  }
}

/** Copies a tree through the archive format, rewriting hashes; no other process has the new files open. */
function copyRewritten(from: string, to: string, rewrites: ReadonlyMap<string, string>): void {
  removePath(to);
  const sink = new RestoreSink(to);
  const parser = new NarParser(sink);
  try {
    const rewriter = new HashRewriter(rewrites, (chunk) => parser.push(chunk));
    for (const chunk of dumpPath(from)) rewriter.push(chunk);
    rewriter.finish();
    parser.finish();
  } finally {
    sink.close();
  }
}

function rewrite(candidate: Candidate, rewrites: ReadonlyMap<string, string>): void {
  if (rewrites.size === 0) return;
  const temporary = `${candidate.real}.tmp`;
  copyRewritten(candidate.real, temporary, rewrites);
  removePath(candidate.real);
  disk.rename(temporary, candidate.real);
}

function measure(real: string): { narHash: PathInfo["narHash"]; narSize: number } {
  const hasher = createHasher("sha256");
  let narSize = 0;
  for (const chunk of dumpPath(real)) {
    hasher.update(chunk);
    narSize += chunk.length;
  }
  return { narHash: { algorithm: "sha256", bytes: hasher.digest() }, narSize };
}

function finalise(
  request: RegisterRequest,
  candidate: Candidate,
  { output, rewrites }: { output: DerivationOutput; rewrites: Map<string, string> },
): PathInfo {
  const references = rewriteReferences(candidate, rewrites);
  switch (output.kind) {
    case "input-addressed": {
      const all = new Map(rewrites);
      if (candidate.scratchPath !== output.path) {
        all.set(storePathHashPart(candidate.scratchPath), storePathHashPart(output.path));
      }
      rewrite(candidate, all);
      const others = references.self ? [...references.others, output.path] : references.others;
      return { path: output.path, ...measure(candidate.real), references: others.sort(), signatures: [] };
    }
    case "fixed":
    case "impure": {
      // A private copy: a process that escaped could still write to the original.
      const copy = request.store.temporaryPath(candidate.scratchPath);
      candidate.temporary = copy;
      copyRewritten(candidate.real, copy, new Map());
      candidate.real = copy;
      const method = output.kind === "fixed" ? output.address.method : output.method;
      const algorithm = output.kind === "fixed" ? output.address.hash.algorithm : output.algorithm;
      return contentAddressed(request, candidate, { method, algorithm, references, rewrites });
    }
    case "floating":
      return contentAddressed(request, candidate, {
        method: output.method,
        algorithm: output.algorithm,
        references,
        rewrites,
      });
    case "deferred":
      throw new FirnError("bad-derivation", `derivation '${request.drvPath}' has an unresolved output`);
  }
}

interface References {
  readonly others: string[];
  readonly self: boolean;
}

function rewriteReferences(candidate: Candidate, rewrites: ReadonlyMap<string, string>): References {
  const others: string[] = [];
  for (const path of candidate.references) {
    if (path === candidate.scratchPath) continue;
    const replaced = rewrites.get(storePathHashPart(path));
    const directory = path.slice(0, path.lastIndexOf("/"));
    others.push(replaced === undefined ? path : `${directory}/${replaced}-${storePathName(path)}`);
  }
  return { others: others.sort(), self: candidate.references.has(candidate.scratchPath) };
}

function contentAddressed(
  request: RegisterRequest,
  candidate: Candidate,
  how: {
    method: ContentAddressMethod;
    algorithm: HashAlgorithm;
    references: References;
    rewrites: ReadonlyMap<string, string>;
  },
): PathInfo {
  if ((how.method === "flat" || how.method === "text") && (!candidate.isFile || candidate.executable)) {
    throw rejected(
      `output path "${candidate.real}" should be a non-executable regular file since recursive hashing is not enabled (one of outputHashMode={flat,text} is true)`,
    );
  }
  rewrite(candidate, how.rewrites);
  const self = storePathHashPart(candidate.scratchPath);
  const hash = hashNarContent(dumpPath(candidate.real), {
    method: how.method,
    algorithm: how.algorithm,
    ...(how.references.self ? { self } : {}),
  });
  const ca = { method: how.method, hash };
  const path = makeFixedOutputPath(ca, {
    name: outputPathName(request.derivation.name, candidate.name),
    storeDir: request.store.storeDir,
    references: how.references,
  });
  if (path !== candidate.scratchPath && how.references.self) {
    rewrite(candidate, new Map([[self, storePathHashPart(path)]]));
  }
  const references = how.references.self ? [...how.references.others, path].sort() : how.references.others;
  return { path, ...measure(candidate.real), references, signatures: [], ca };
}

function sign(request: RegisterRequest, info: PathInfo): PathInfo {
  const complete: PathInfo = { ...info, deriver: request.drvPath, ultimate: true };
  const signatures = request.signingKeys.map((key) => signPathInfo(complete, key));
  return { ...complete, signatures: sortSignatures(signatures) };
}

/** Moves an output to its final path. */
async function settle(request: RegisterRequest, candidate: Candidate, info: PathInfo): Promise<void> {
  const { store } = request;
  const expected = derivationOutputPath(request.derivation, candidate.name, store.storeDir);
  const locks = expected === info.path ? undefined : await store.lockPaths([info.path]);
  try {
    if (request.mode !== "repair" && (await store.isValidPath(info.path))) {
      if (candidate.real !== store.realPath(info.path)) removePath(candidate.real);
      return;
    }
    if (candidate.real === store.realPath(info.path)) {
      store.shareFiles(info.path, { repair: request.mode === "repair" });
      return;
    }
    await store.addTempRoot(info.path);
    moveTree(candidate.real, store, { path: info.path, repair: request.mode === "repair" });
  } finally {
    locks?.release();
  }
}

/** Moves a tree. Only root can move a directory that its owner may not write, so other users make it writable for the move. */
function moveTree(
  from: string,
  store: BuildStore,
  { path, repair }: { readonly path: string; readonly repair: boolean },
): void {
  const unlock = process.geteuid?.() !== 0 && withPlace(from, (place) => place.stat().isDirectory());
  if (unlock) withPlace(from, (place) => place.chmod(0o755));
  store.replaceReal(from, path, { repair });
  if (!unlock) return;
  withPlace(store.realPath(path), (place) => {
    place.chmod(0o555);
    place.setMtime(1);
  });
}

async function compare(request: RegisterRequest, candidate: Candidate, info: PathInfo): Promise<void> {
  const { store } = request;
  const old = await store.queryPathInfo(info.path);
  if (old === undefined || equalHashes(old.narHash, info.narHash)) return;
  const real = store.realPath(info.path);
  const base = `derivation '${request.drvPath}' may not be deterministic: output "${real}" differs`;
  const { keepFailed, showDifference } = request;
  if (!keepFailed && showDifference === undefined) throw new FirnError("not-deterministic", base, { exitStatus: 104 });
  removePath(`${real}.check`);
  disk.rename(candidate.real, `${real}.check`);
  await showDifference?.([real, `${real}.check`]);
  throw new FirnError("not-deterministic", `${base} from "${real}.check"`, { exitStatus: 104 });
}
