/** The store: where built and fetched things live, who may delete them, and where else they can be had. */
import "./node-hash.ts";

export { extractTar, memberPlace, type TarOptions, type TarTree } from "./archive/tar.ts";
export * from "./closure.ts";
export * from "./events.ts";
export { type CanonicaliseOptions, canonicalise } from "./fs/canonicalise.ts";
export { disk, fsPath, hasErrorCode, observeSteps, type StepObserver } from "./fs/disk.ts";
export { dumpPath, type PathFilter, readFileChunks } from "./fs/dump.ts";
export { type EntryKind, entriesIn, kindOf } from "./fs/entries.ts";
export { machineError } from "./fs/machine-error.ts";
export { OpenDirectory, type OpenPlace, withPlace } from "./fs/open-directory.ts";
export { removePath } from "./fs/remove.ts";
export { RestoreSink } from "./fs/restore.ts";
export { syncFileSystem } from "./fs/sync.ts";
export { makeTemporaryDirectory, removeDirectory, withTemporaryDirectory } from "./fs/temporary-directory.ts";
export { TreeWriter, type TreeWriterOptions } from "./fs/tree-writer.ts";
export { type ContentHashOptions, hashContent, hashNarContent } from "./local/content-hash.ts";
export * from "./local/gc.ts";
export { type HeldDirectory, makeHeldDirectory } from "./local/held-directory.ts";
export { LocalStore, type LocalStoreOptions, readStoreFile, type StoreText } from "./local/local-store.ts";
export { type StoreLocation, storeLocation } from "./local/location.ts";
export * from "./local/open.ts";
export { hashTree, type OptimiseResult } from "./local/optimise.ts";
export * from "./local/roots.ts";
export { readTempRoots } from "./local/temp-roots.ts";
export * from "./local/verify.ts";
export { type LockKind, lock, openLockFile, tryLock } from "./locks/flock.ts";
export { PathLocks } from "./locks/path-lock.ts";
export { nodeHashBackend } from "./node-hash.ts";
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
export { serveStore } from "./remote/serve.ts";
export { checkSshHost } from "./remote/ssh-authority.ts";
export { SshStore, type SshStoreOptions } from "./remote/ssh-store.ts";
export type { Connection } from "./remote/wire.ts";
export * from "./settings/names.ts";
export * from "./settings/settings.ts";
export { type SettingKind, type SettingName, type SettingValues, settingsTable } from "./settings/table.ts";
export * from "./store.ts";
export * from "./substitute/binary-cache.ts";
export * from "./substitute/compression.ts";
export * from "./substitute/copy.ts";
export { aptMirrors, type DebMirror, debMirrors, resolveMirrors } from "./substitute/mirrors.ts";
export * from "./substitute/open.ts";
export * from "./substitute/transfer.ts";
export * from "./substitute/url-passwords.ts";
