/** The store: built and fetched paths, their roots and garbage collection, and substituters. */
import "./node-hash.ts";

export { extractTar, memberPlace, type TarOptions, type TarTree } from "./archive/tar.ts";
export * from "./events.ts";
export { exportPaths, importPaths } from "./export/export.ts";
export { type CanonicaliseOptions, canonicalise } from "./fs/canonicalise.ts";
export { useCaseHack } from "./fs/case-hack.ts";
export { disk, fsPath, hasErrorCode, observeSteps, type StepObserver } from "./fs/disk.ts";
export { dumpPath, type PathFilter, readFileChunks } from "./fs/dump.ts";
export { type EntryKind, entriesIn, kindOf } from "./fs/entries.ts";
export { findLogicalFile, type LogicalFile } from "./fs/logical-path.ts";
export { machineError, sqliteCode, systemErrorReason, systemErrorText } from "./fs/machine-error.ts";
export {
  entriesWithoutLinks,
  OpenDirectory,
  type OpenPlace,
  openWithoutLinks,
  withPlace,
} from "./fs/open-directory.ts";
export { removePath } from "./fs/remove.ts";
export { RestoreSink, restorePath } from "./fs/restore.ts";
export { withSocketPath } from "./fs/socket-path.ts";
export { syncFileSystem } from "./fs/sync.ts";
export { makeTemporaryDirectory, removeDirectory, withTemporaryDirectory } from "./fs/temporary-directory.ts";
export { TreeWriter, type TreeWriterOptions } from "./fs/tree-writer.ts";
export { type ContentHashOptions, hashContent, hashNarContent } from "./local/content-hash.ts";
export { hashNar, hashTree } from "./local/hash-tree.ts";
export { type HashedTree, hashTrees } from "./local/hash-trees.ts";
export { type HeldDirectory, makeHeldDirectory } from "./local/held-directory.ts";
export { LocalStore, type LocalStoreOptions } from "./local/local-store.ts";
export { logFile } from "./local/logs.ts";
export { readTempRoots } from "./local/temp-roots.ts";
export * from "./local/verify.ts";
export { type LockKind, lock, openLockFile, tryLock } from "./locks/flock.ts";
export { PathLocks } from "./locks/path-lock.ts";
export { type PeerCredentials, peerCredentials } from "./locks/peer.ts";
export { groupName, isGroupMember, userName } from "./locks/users.ts";
export { nodeHashBackend } from "./node-hash.ts";
export {
  configuredRealStoreDir,
  configuredStoreDir,
  daemonSocket,
  defaultStateDir,
  machineLocation,
  userStoreRoot,
} from "./open/location.ts";
export {
  makeTransferrer,
  type OpenContext,
  openMachineStore,
  openStore,
  openSubstituters,
  queryMassPaths,
  sshOptions,
} from "./open/open.ts";
export * from "./open/profile-places.ts";
export { servedRoots } from "./open/served-roots.ts";
export { LineSplitter } from "./program/line-splitter.ts";
export {
  becomeProgram,
  type RunningProgram,
  runProgramSync,
  startProgram,
  variableNameProblem,
} from "./program/start.ts";
export { HashRewriter } from "./references/rewrite.ts";
export { ReferenceScanner } from "./references/scan.ts";
export { writeBuildResult } from "./remote/build-results.ts";
export { NoticeWriter } from "./remote/daemon-events.ts";
export { DaemonStore } from "./remote/daemon-store.ts";
export { errorJson, InternalJsonReader, InternalJsonWriter, messageJson } from "./remote/internal-json.ts";
export { realisationsOf, type ServeOptions, serveStore } from "./remote/serve.ts";
export { checkSshHost, parseSshAuthority } from "./remote/ssh-authority.ts";
export { SshStore, type SshStoreOptions } from "./remote/ssh-store.ts";
export { connectToSocket, writeTo } from "./remote/transport.ts";
export { type Connection, WireConnection } from "./remote/wire.ts";
export {
  type CacheServerOptions,
  type RunningCacheServer,
  type ServedCompression,
  serveCache,
} from "./serve/cache-server.ts";
export type { ExternalBuilder } from "./settings/external-builders.ts";
export * from "./settings/names.ts";
export * from "./settings/settings.ts";
export { type SettingKind, type SettingName, type SettingValues, settingsTable } from "./settings/table.ts";
export { addDerivation } from "./store/add-derivation.ts";
export * from "./store/building.ts";
export * from "./store/closure.ts";
export { closureDiff, notableSize, type PackageChange } from "./store/closure-diff.ts";
export { builtOutput, DerivationHashes } from "./store/derivation-hashes.ts";
export type { StoreFiles } from "./store/files.ts";
export { type StoreLocation, storeLocation } from "./store/location.ts";
export type { LogReader, LogWriter } from "./store/logs.ts";
export * from "./store/paths.ts";
export * from "./store/query.ts";
export type { RealisationReader, RealisationRegistry, RealisationWriter } from "./store/realisations.ts";
export type { OutputRegistry, PlacingOptions } from "./store/registering.ts";
export type { GcAction, GcOptions, GcResult, RootKeeper, Roots, RootWriter } from "./store/roots.ts";
export * from "./store/store.ts";
export type { OptimiseResult, StoreUpkeep, VerifyOptions } from "./store/upkeep.ts";
export { type KeepingRoot, type LeadingPath, pathsLeadingTo, whyAlive } from "./store/why.ts";
export * from "./store/writing.ts";
export * from "./substitute/binary-cache.ts";
export * from "./substitute/compression.ts";
export { type ContentAddressedCopy, copyContentAddressed } from "./substitute/content-addressed-copy.ts";
export * from "./substitute/copy.ts";
export { copySignatures } from "./substitute/copy-signatures.ts";
export { aptMirrors, type DebMirror, debMirrors, resolveMirrors, resolveSnapshots } from "./substitute/mirrors.ts";
export * from "./substitute/transfer.ts";
export { diskTree, narFileTree, type TreeAccess, type TreeEntry, withPathTree } from "./tree/tree-access.ts";
