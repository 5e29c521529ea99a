/** Builds one derivation whose inputs are valid: locks, environment, sandbox, builder, registration, cleaning up. */

import path from "node:path";
import {
  type Derivation,
  derivationKind,
  derivationOutputPath,
  FirnError,
  hashPlaceholder,
  interrupted,
  makeStorePath,
  outputPathName,
  splitStorePath,
  storePathBaseName,
  storePathHashPart,
  storePathName,
} from "@firn/formats";
import {
  canonicalise,
  computeClosure,
  DerivationHashes,
  disk,
  dumpPath,
  type EventSink,
  type ExternalBuilder,
  errorEvent,
  errorText,
  hasFeature,
  machineError,
  removePath,
  restorePath,
  type Settings,
  variableNameProblem,
  withPlace,
} from "@firn/store";
import * as fs from "@firn/store/files";
import { processEnvironment } from "@firn/store/surroundings";
import { type BuildDirectory, makeBuildDirectory, openBuildDirectory } from "./build-directory.ts";
import { diffHookOf, pathsOfPreBuildHook, showDifference } from "./build-programs.ts";
import type { BuildStore } from "./build-store.ts";
import { findBuiltin } from "./builtin/builtin.ts";
import type { BuiltinContext } from "./builtin/context.ts";
import { prepareEnvironment, rewriteText } from "./environment.ts";
import { describeBuild, ExternalOutput, externalBuildDir, externalBuilderOf } from "./external-builder.ts";
import { BuildLog } from "./log/build-log.ts";
import { type BuildOptions, readBuildOptions } from "./options.ts";
import { registerOutputs } from "./outputs/register.ts";
import { runPostBuildHook } from "./post-build-hook.ts";
import { recordRealisation } from "./record-realisation.ts";
import { failed, notExecuted, type RunRequest, type RunResult, runBuilder } from "./run-builder.ts";
import { makeBuildGroup, type ProcessorTime } from "./sandbox/build-group.ts";
import { acquireBuildUser, type BuildUser, endProcesses, needsBuildUser, openStoreTo } from "./sandbox/build-user.ts";
import { prepareSandbox, requireSandbox, type Sandbox, type SandboxPlan } from "./sandbox/sandbox.ts";
import { readSigningKeys } from "./signing-keys.ts";

const HOMELESS = "/homeless-shelter";

/** Everything that a build needs. `inputs` are valid paths (not yet closed over references). */
export interface BuildRequest {
  readonly store: BuildStore;
  readonly settings: Settings;
  readonly drvPath: string;
  readonly derivation: Derivation;
  readonly inputs: readonly string[];
  readonly mode: "normal" | "check" | "repair";
  readonly events: EventSink;
  readonly signal?: AbortSignal;
  /** Is called when the build really starts, that is, when no other process has made the outputs meanwhile. */
  readonly onStart?: () => void;
  readonly offline?: boolean;
  /** The command that shows logs, for messages; by default `nix log`. */
  readonly logCommand?: string;
  /** Serves the store to a builder that may use it. */
  readonly serveBuild?: BuildServer;
  /** Makes the outputs in place of a builder on this machine. */
  readonly elsewhere?: BuildElsewhere;
}

/**
 * Makes the outputs of a derivation elsewhere, while their locks are held; returns them by name, valid in the store. `inputs` are
 * closed over references; `log` receives the lines of the builder.
 */
export type BuildElsewhere = (build: {
  readonly inputs: readonly string[];
  readonly log: BuildLog;
}) => Promise<ReadonlyMap<string, string>>;

/** The feature by which a derivation asks for a store that its builder may use. */
export const recursiveNix = "recursive-nix";

/** Serves the store at a socket to a builder, restricted to the paths that are allowed, which grow by what it adds and builds. */
export type BuildServer = (request: {
  readonly socket: string;
  readonly allowed: Set<string>;
  /** Lets the builder see a path that became allowed. */
  show(path: string): Promise<void>;
}) => Promise<{ close(): Promise<void> }>;

/** Output paths by name, and a flag that is true when the builder has run. */
export interface BuildOutcome {
  readonly outputs: ReadonlyMap<string, string>;
  readonly built: boolean;
}

/** A failed build, as the builds that depend on it report it. */
export class BuildFailure extends FirnError {
  readonly drvPath: string;
  constructor(drvPath: string, message: string, exitStatus: number) {
    super("build-failed", message, { exitStatus });
    this.drvPath = drvPath;
  }
}

/** Builds one derivation; errors `build-failed`, `output-rejected`, `hash-mismatch`, `no-sandbox`, `aborted`, … */
export async function buildDerivation(request: BuildRequest): Promise<BuildOutcome> {
  try {
    return await buildUnlessValid(request);
  } catch (error) {
    throw machineError(error, `cannot build '${request.drvPath}'`) ?? error;
  }
}

async function buildUnlessValid(request: BuildRequest): Promise<BuildOutcome> {
  const { store, derivation } = request;
  const known = knownOutputs(request);
  for (const output of known.values()) await store.addTempRoot(output);
  await store.makeRoom();
  const locks = await store.lockPaths(known.size > 0 ? known.values() : [request.drvPath]);
  try {
    const valid = new Map<string, string>();
    for (const [name, output] of known) if (await store.isValidPath(output)) valid.set(name, output);
    if (request.mode === "normal" && known.size > 0 && valid.size === derivation.outputs.size) {
      return { outputs: valid, built: false };
    }
    if (request.mode === "normal") {
      for (const [name, output] of known) if (!valid.has(name)) removePath(store.realPath(output));
    }
    request.onStart?.();
    const kept = request.mode === "repair" ? new Map<string, string>() : valid;
    const { elsewhere } = request;
    const outputs =
      elsewhere === undefined
        ? await buildLocked(request, known, kept)
        : await withLog(request, async (log) =>
            elsewhere({ inputs: await computeClosure(store, request.inputs), log }),
          );
    // The hook may use what was built, and would wait here for a build of it otherwise.
    if (derivationKind(derivation) === "floating" && request.mode !== "check") {
      const context = { store, settings: request.settings, hashes: new DerivationHashes(store) };
      for (const [name, outPath] of outputs) await recordRealisation(context, derivation, { name, outPath });
    }
    await runPostBuildHook(request, [...outputs.values()]);
    return { outputs, built: true };
  } finally {
    locks.release();
  }
}

function knownOutputs(request: BuildRequest): Map<string, string> {
  const known = new Map<string, string>();
  for (const name of request.derivation.outputs.keys()) {
    const output = derivationOutputPath(request.derivation, name, request.store.storeDir);
    if (output !== undefined) known.set(name, output);
  }
  return known;
}

/** Runs work that writes the log of a build, and ends the log. */
async function withLog<Result>(request: BuildRequest, work: (log: BuildLog) => Promise<Result>): Promise<Result> {
  const log = new BuildLog(request.drvPath, request);
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

async function buildLocked(
  request: BuildRequest,
  known: ReadonlyMap<string, string>,
  valid: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const { store, derivation } = request;
  const options = readBuildOptions(derivation, store.storeDir);
  const external = externalBuilderOf(request.settings, derivation);
  const isBuiltin = derivation.builder.startsWith("builtin:");
  // A store that is not at its place is there only in a sandbox.
  const isElsewhere = store.location.realStoreDir !== store.storeDir && !isBuiltin;
  const sandboxed = external === undefined && (isElsewhere || wantsSandbox(request, options));
  const inputPaths = new Set(await computeClosure(store, request.inputs));
  if (sandboxed) for (const path of await sandboxClosure(request)) inputPaths.add(path);
  const ownUser = needsBuildUser() && (external !== undefined || !isBuiltin);
  if (sandboxed && !ownUser) requireSandbox();
  const user = ownUser ? await acquireBuildUser(request, request.signal) : undefined;
  try {
    return await buildAs(user, { request, options, inputPaths, external, sandboxed, known, valid });
  } finally {
    user?.release();
  }
}

interface PlannedBuild {
  readonly request: BuildRequest;
  readonly options: BuildOptions;
  readonly inputPaths: Set<string>;
  readonly external: ExternalBuilder | undefined;
  readonly sandboxed: boolean;
  /** Output paths that are known beforehand, and those of them that are valid, by output name. */
  readonly known: ReadonlyMap<string, string>;
  readonly valid: ReadonlyMap<string, string>;
}

/** Builds with the ids of a build user, or with those of this process. */
async function buildAs(
  user: BuildUser | undefined,
  { request, options, inputPaths, external, sandboxed, known, valid }: PlannedBuild,
): Promise<Map<string, string>> {
  const { store, settings, derivation, drvPath } = request;
  const directory = makeBuildDirectory(store, settings);
  const log = new BuildLog(drvPath, { store, settings, events: request.events });
  let keep = false;
  let stopWatching: (() => void) | undefined;
  try {
    const scratch = scratchPaths(request, { known, valid, sandboxed });
    tellBuilder(request);
    stopWatching = watchRoom(request);
    const run: PreparedRun = { request, options, inputPaths, directory, scratch, log, user };
    const diffHook = diffHookOf(settings);
    const ids = user === undefined ? undefined : { uid: user.uid, gid: user.gid };
    const place =
      external !== undefined
        ? await runExternal(run, external)
        : sandboxed
          ? await runSandboxed(run)
          : await runPlain(run);
    try {
      return await registerOutputs({
        store,
        drvPath,
        derivation,
        options,
        inputPaths,
        scratch,
        locate: place.locate,
        ...(user === undefined ? {} : { owner: user.uid }),
        valid,
        mode: request.mode,
        signingKeys: readSigningKeys(settings),
        ignoredAttributes: settings.get("ignored-acls"),
        keepFailed: settings.get("keep-failed"),
        ...(diffHook === undefined
          ? {}
          : {
              showDifference: (paths: readonly [string, string]) =>
                showDifference(diffHook, { paths, drvPath, directory: directory.host, ids, events: request.events }),
            }),
      });
    } finally {
      place.cleanUp();
    }
  } catch (error) {
    keep = settings.get("keep-failed") && request.signal?.aborted !== true;
    if (keep) {
      directory.top.keep();
      const text = `note: keeping build directory '${directory.top.path}/build'`;
      request.events({ kind: "message", level: "notice", text });
    }
    throw error;
  } finally {
    stopWatching?.();
    try {
      await log.close();
    } finally {
      if (!keep) directory.top.remove();
    }
  }
}

/** Returns the store paths that the setting sandbox-paths brings in, with their closures; never the outputs themselves. */
async function sandboxClosure(request: BuildRequest): Promise<string[]> {
  const { store, settings } = request;
  const roots = settings.get("sandbox-paths").flatMap((text) => {
    const source = text.replace(/\?$/, "").replace(/^[^=]*=/, "");
    return source.startsWith(`${store.storeDir}/`) ? [splitStorePath(source, store.storeDir).storePath] : [];
  });
  const valid = await store.queryValidPaths(roots);
  const outputs = new Set(knownOutputs(request).values());
  return (await computeClosure(store, valid)).filter((path) => !outputs.has(path));
}

function wantsSandbox(request: BuildRequest, options: BuildOptions): boolean {
  if (request.derivation.builder.startsWith("builtin:")) return false;
  const kind = derivationKind(request.derivation);
  const open = kind === "fixed" || kind === "impure";
  switch (request.settings.get("sandbox")) {
    case "true":
      if (options.noChroot) {
        throw new FirnError(
          "no-chroot",
          `derivation '${request.drvPath}' has '__noChroot' set, but that's not allowed when 'sandbox' is 'true'`,
        );
      }
      return true;
    case "false":
      return false;
    case "relaxed":
      return !open && !options.noChroot;
  }
}

const ZERO_HASH = { algorithm: "sha256" as const, bytes: new Uint8Array(32) };

/**
 * Returns the path to which the builder writes each output: the final path when that is free, else a stand-in whose hash is
 * rewritten afterwards.
 */
function scratchPaths(
  request: BuildRequest,
  state: { known: ReadonlyMap<string, string>; valid: ReadonlyMap<string, string>; sandboxed: boolean },
): Map<string, string> {
  const { drvPath, derivation, store } = request;
  const scratch = new Map<string, string>();
  for (const name of [...derivation.outputs.keys()].sort()) {
    const known = state.known.get(name);
    if (known === undefined) {
      const type = `rewrite:${drvPath}:name:${name}`;
      const pathName = outputPathName(derivation.name, name);
      scratch.set(name, makeStorePath({ type, hash: ZERO_HASH, name: pathName, storeDir: store.storeDir }));
    } else if (state.sandboxed || !state.valid.has(name)) scratch.set(name, known);
    else {
      const type = `rewrite:${drvPath}:${known}`;
      scratch.set(name, makeStorePath({ type, hash: ZERO_HASH, name: storePathName(known), storeDir: store.storeDir }));
    }
  }
  return scratch;
}

interface PreparedRun {
  readonly request: BuildRequest;
  readonly options: BuildOptions;
  readonly inputPaths: Set<string>;
  readonly directory: BuildDirectory;
  readonly scratch: ReadonlyMap<string, string>;
  readonly log: BuildLog;
  readonly user: BuildUser | undefined;
}

interface Place {
  readonly locate: (scratchPath: string) => string;
  cleanUp(): void;
}

function rewritesOf(run: PreparedRun): Map<string, string> {
  const rewrites = new Map<string, string>();
  for (const [name, scratchPath] of run.scratch) {
    rewrites.set(hashPlaceholder(name), scratchPath);
    const known = derivationOutputPath(run.request.derivation, name, run.request.store.storeDir);
    if (known !== undefined && known !== scratchPath) {
      rewrites.set(storePathHashPart(known), storePathHashPart(scratchPath));
    }
  }
  return rewrites;
}

/** Writes a new file; fails when it exists. */
function writeNew(
  file: string,
  contents: Uint8Array,
  options: { readonly mode?: number; readonly owner?: BuildUser | undefined } = {},
): void {
  const fd = disk.create(file, options.mode);
  try {
    disk.write(fd, contents);
    if (options.owner !== undefined) fs.fchownSync(fd, options.owner.uid, options.owner.gid);
  } finally {
    fs.closeSync(fd);
  }
}

const socketName = ".nix-socket";

/** Tells whether a builder may use the store. */
function usesStore({ request, options }: PreparedRun): boolean {
  return (
    request.serveBuild !== undefined &&
    hasFeature(request.settings, recursiveNix) &&
    options.requiredSystemFeatures.includes(recursiveNix)
  );
}

/** Runs a builder, and meanwhile serves the store to it if it may use that. */
async function withStore<Result>(
  run: PreparedRun,
  show: (path: string) => Promise<void>,
  work: () => Promise<Result>,
): Promise<Result> {
  const { serveBuild } = run.request;
  if (serveBuild === undefined || !usesStore(run)) return work();
  const socket = `${run.directory.host}/${socketName}`;
  const served = await serveBuild({ socket, allowed: run.inputPaths, show });
  try {
    return await work();
  } finally {
    await served.close();
  }
}

async function builderEnvironment(run: PreparedRun, buildDir: string): Promise<Map<string, string>> {
  const { request, options, inputPaths } = run;
  const rewrites = rewritesOf(run);
  const { variables, files } = await prepareEnvironment(request.derivation, {
    store: request.store,
    settings: request.settings,
    options,
    inputPaths,
    buildDir,
    homeDir: HOMELESS,
  });
  for (const [name, text] of files) {
    writeNew(`${run.directory.host}/${name}`, Buffer.from(rewriteText(text, rewrites), "latin1"), { owner: run.user });
  }
  const { user } = run;
  if (user !== undefined) withPlace(run.directory.host, (place) => place.chown(user.uid, user.gid));
  for (const name of variables.keys()) {
    const problem = variableNameProblem(name);
    if (problem !== undefined) {
      throw new FirnError("bad-derivation", `cannot build '${request.drvPath}': ${problem}`, {
        hint: "a program cannot be given such a variable: rename the attribute of the derivation, or set __structuredAttrs",
      });
    }
  }
  const remote: [string, string][] = usesStore(run) ? [["NIX_REMOTE", `unix://${buildDir}/${socketName}`]] : [];
  return new Map([
    ...[...variables].map(([name, value]): [string, string] => [name, rewriteText(value, rewrites)]),
    ...remote,
  ]);
}

async function runSandboxed(run: PreparedRun): Promise<Place> {
  const { request } = run;
  const { settings } = request;
  const buildDir = settings.get("sandbox-build-dir");
  const environment = await builderEnvironment(run, buildDir);
  const morePaths = await pathsOfPreBuildHook(settings, request.drvPath);
  const { stateDir } = request.store.location;
  const group = await makeBuildGroup({ settings, stateDir, user: run.user });
  try {
    return await runInSandbox(run, { buildDir, environment, morePaths, group });
  } finally {
    // It is there still when the builder could not be run.
    await group?.end();
  }
}

/** A build for which a sandbox is laid out. */
interface SandboxedRun extends Pick<SandboxPlan, "buildDir" | "morePaths" | "group"> {
  readonly environment: ReadonlyMap<string, string>;
}

async function runInSandbox(run: PreparedRun, { environment, ...plan }: SandboxedRun): Promise<Place> {
  const { request, directory } = run;
  const { settings, derivation } = request;
  const kind = derivationKind(derivation);
  const sandbox: Sandbox = prepareSandbox({
    ...plan,
    store: request.store,
    settings,
    drvPath: request.drvPath,
    system: derivation.system,
    inputPaths: run.inputPaths,
    hostBuildDir: directory.host,
    network: kind === "fixed" || kind === "impure",
    user: run.user,
  });
  try {
    const rewrites = rewritesOf(run);
    const argumentsFile = `${sandbox.top}/arguments`;
    writeNew(argumentsFile, sandbox.argumentsFile(environment), { mode: 0o600 });
    const seccompFile = `${sandbox.top}/seccomp`;
    if (sandbox.seccomp !== undefined) writeNew(seccompFile, sandbox.seccomp);
    const builder = [derivation.builder, ...derivation.args].map((text) => rewriteText(text, rewrites));
    if (sandbox.lacks(builder[0]!)) {
      await requireSuccess(run, notExecuted(builder[0]!, "ENOENT", run.log));
    }
    // The builder sees a copy, under the name in its own store.
    const show = async (path: string): Promise<void> => {
      const place = `${sandbox.outputs}/${storePathBaseName(path)}`;
      if (fs.lstatSync(place, { throwIfNoEntry: false }) === undefined) {
        await restorePath(place, dumpPath(request.store.realPath(path)));
        canonicalise(place);
      }
    };
    const result = await withStore(run, show, () =>
      runBuilder({
        command: sandbox.command(builder),
        environment: hostEnvironment(),
        directory: "/",
        log: run.log,
        argumentsFile,
        ...(run.user === undefined ? {} : { user: run.user }),
        ...(sandbox.seccomp === undefined ? {} : { seccompFile }),
        ...limits(request),
      }),
    );
    tellTime(request, result, await plan.group?.end());
    if (!result.ok && run.user !== undefined) requireSandbox("user");
    await requireSuccess(run, result);
    return {
      locate: (scratchPath) => `${sandbox.outputs}/${storePathBaseName(scratchPath)}`,
      cleanUp: () => removePath(sandbox.top),
    };
  } catch (error) {
    removePath(sandbox.top);
    throw error;
  }
}

/** The outputs in the store's own directory, from which what is in their way is deleted. */
function freePlace({ request: { store }, scratch }: PreparedRun): Place {
  for (const scratchPath of scratch.values()) removePath(store.realPath(scratchPath));
  return { locate: (scratchPath) => store.realPath(scratchPath), cleanUp: () => {} };
}

/** Lets a builder's own user, if it has one, make outputs in the store's own directory and enter its build directory. */
function openTo({ request, directory, user }: PreparedRun): Partial<Pick<RunRequest, "user" | "runAs">> {
  if (user === undefined) return {};
  openStoreTo(user, request.store.location.realStoreDir);
  openBuildDirectory(directory);
  return { user, runAs: { uid: user.uid, gid: user.storeGroup } };
}

/** Has an external builder run the build. */
async function runExternal(run: PreparedRun, external: ExternalBuilder): Promise<Place> {
  const { request, directory, user } = run;
  const { store, drvPath, derivation } = request;
  if (run.options.requiredSystemFeatures.includes(recursiveNix)) {
    throw new FirnError("bad-derivation", `'${recursiveNix}' is not supported yet by external derivation builders`);
  }
  const place = freePlace(run);
  const environment = await builderEnvironment(run, externalBuildDir);
  const rewrites = rewritesOf(run);
  const file = `${directory.top.path}/build.json`;
  const description = describeBuild({
    derivation: { ...derivation, args: derivation.args.map((text) => rewriteText(text, rewrites)) },
    environment,
    directories: { top: directory.top.path, build: directory.host },
    store,
    inputs: run.inputPaths,
    outputs: run.scratch,
  });
  writeNew(file, Buffer.from(description, "latin1"));
  const output = new ExternalOutput(run.log);
  const result = await runBuilder({
    command: [external.program, ...external.args, file],
    environment: processEnvironment(),
    directory: directory.host,
    log: output,
    ...openTo(run),
    ...limits(request),
  });
  if (user !== undefined) endProcesses(user);
  if (result.timedOut === undefined && request.signal?.aborted !== true) output.requireBegun(drvPath, result);
  await requireSuccess(run, result);
  return place;
}

/** Makes room in the store while a builder runs, as often as the settings say; returns what ends that. */
function watchRoom({ store, settings, events }: BuildRequest): () => void {
  if (settings.get("min-free") === 0) return () => {};
  const look = (): void => {
    store.makeRoom().catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      events(errorEvent(text));
    });
  };
  const timer = setInterval(look, Math.max(1, settings.get("min-free-check-interval")) * 1000);
  return () => clearInterval(timer);
}

/** Tells the program that is run and its arguments. */
function tellBuilder({ derivation: { builder, args }, events }: BuildRequest): void {
  events({ kind: "message", level: "chatty", text: `executing builder '${builder}'` });
  events({ kind: "message", level: "chatty", text: `using builder args '${args.join(" ")}'` });
}

/** Tells the processor time that a builder took. */
function tellTime({ drvPath, events }: BuildRequest, { code }: RunResult, time: ProcessorTime | undefined): void {
  if (time === undefined) return;
  const [user, system] = [time.user.toFixed(3), time.system.toFixed(3)];
  // The status is that of wait(2), which has the exit code in its second byte.
  const text = `builder for '${drvPath}' terminated with status ${(code ?? 0) << 8}, user CPU ${user}s, system CPU ${system}s`;
  events({ kind: "message", level: "debug", text });
}

async function runPlain(run: PreparedRun): Promise<Place> {
  const { request, directory } = run;
  const { derivation } = request;
  const rewrites = rewritesOf(run);
  const place = freePlace(run);
  if (derivation.builder.startsWith("builtin:")) {
    await runBuiltin(run, place);
    return place;
  }
  const environment = await builderEnvironment(run, directory.host);
  if (fs.existsSync(HOMELESS)) {
    throw new FirnError(
      "home-exists",
      `home directory "${HOMELESS}" exists; please remove it to assure purity of builds without sandboxing`,
    );
  }
  const builder = [derivation.builder, ...derivation.args].map((text) => rewriteText(text, rewrites));
  const { user } = run;
  const ids = openTo(run);
  const seen = async (): Promise<void> => undefined;
  const result = await withStore(run, seen, () =>
    runBuilder({
      command: builder,
      environment: Object.fromEntries(environment),
      directory: directory.host,
      log: run.log,
      argv0: path.basename(derivation.builder),
      ...ids,
      ...limits(request),
    }),
  );
  if (user !== undefined) endProcesses(user);
  await requireSuccess(run, result);
  return place;
}

async function runBuiltin(run: PreparedRun, place: Place): Promise<void> {
  const { request } = run;
  const { derivation, drvPath } = request;
  const builtin = findBuiltin(derivation.builder);
  const rewrites = rewritesOf(run);
  const context: BuiltinContext = {
    store: request.store,
    settings: request.settings,
    drvPath,
    derivation,
    env: new Map([...derivation.env].map(([name, value]) => [name, rewriteText(value, rewrites)])),
    inputPaths: run.inputPaths,
    directory: run.directory.host,
    events: request.events,
    offline: request.offline ?? false,
    output: (name) => {
      const scratchPath = run.scratch.get(name);
      if (scratchPath === undefined) {
        throw new FirnError("bad-derivation", `'${derivation.builder}' requires an '${name}' output`);
      }
      return place.locate(scratchPath);
    },
    log: (line) => run.log.write(Buffer.from(`${line}\n`)),
  };
  try {
    await builtin(context);
  } catch (error) {
    for (const scratchPath of run.scratch.values()) removePath(place.locate(scratchPath));
    if (!(error instanceof FirnError)) throw error;
    run.log.write(Buffer.from(`${errorText(error.message)}\n`));
    if (error.hint !== undefined) run.log.write(Buffer.from(`${error.hint}\n`));
    await requireSuccess(run, failed);
  }
}

function limits(request: BuildRequest): {
  timeout: number;
  maxSilence: number;
  maxLogSize: number;
  signal?: AbortSignal;
} {
  const { settings } = request;
  return {
    timeout: settings.get("timeout"),
    maxSilence: settings.get("max-silent-time"),
    maxLogSize: settings.get("max-build-log-size"),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  };
}

function hostEnvironment(): Record<string, string> {
  return { PATH: processEnvironment().PATH ?? "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" };
}

async function requireSuccess(run: PreparedRun, result: RunResult): Promise<void> {
  const { request, log } = run;
  const { drvPath, settings } = request;
  if (request.signal?.aborted === true) throw interrupted();
  if (result.ok) return;
  await log.close();
  switch (result.timedOut) {
    case "timeout":
      throw new BuildFailure(drvPath, `timed out after ${settings.get("timeout")} seconds`, 101);
    case "silence": {
      const seconds = settings.get("max-silent-time");
      throw new BuildFailure(drvPath, `timed out after ${seconds} seconds`, 101);
    }
    case "log-size": {
      const limit = settings.get("max-build-log-size");
      const what = `building derivation '${drvPath}' killed after writing more than ${limit} bytes of log output`;
      throw new BuildFailure(drvPath, what, 1);
    }
    case undefined:
      break;
  }
  let message = `Cannot build '${drvPath}'.\nReason: builder ${result.status}.${outputsMessage(request)}`;
  if (log.tail.length > 0) {
    const lines = log.tail.map((line) => `> ${line}\n`).join("");
    message += `\nLast ${log.tail.length} log lines:\n${lines}For full logs, run:\n  ${request.logCommand ?? "nix log"} ${drvPath}`;
  }
  throw new BuildFailure(drvPath, message, 100);
}

function outputsMessage(request: BuildRequest): string {
  return showOutputs(request.derivation, request.store.storeDir);
}

/** The known output paths of a derivation as the reference lists them in errors; empty when none is known. */
export function showOutputs(derivation: Derivation, storeDir: string): string {
  const paths = [...derivation.outputs.keys()]
    .map((name) => derivationOutputPath(derivation, name, storeDir))
    .filter((output) => output !== undefined)
    .sort();
  return paths.length === 0 ? "" : `\nOutput paths:${paths.map((output) => `\n  ${output}`).join("")}`;
}
