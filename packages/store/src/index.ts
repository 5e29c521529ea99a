/** The store: where built and fetched things live, who may delete them, and where else they can be had. */
import "./node-hash.ts";

export * from "./closure.ts";
export * from "./events.ts";
export { type CanonicaliseOptions, canonicalise } from "./fs/canonicalise.ts";
export { disk, fsPath, hasErrorCode, observeSteps, type StepObserver } from "./fs/disk.ts";
export { dumpPath, type PathFilter, readFileChunks } from "./fs/dump.ts";
export { removePath } from "./fs/remove.ts";
export { RestoreSink } from "./fs/restore.ts";
export { type ContentHashOptions, hashContent, hashNarContent } from "./local/content-hash.ts";
export { LocalStore, type LocalStoreOptions, readStoreFile } from "./local/local-store.ts";
export { type StoreLocation, storeLocation } from "./local/location.ts";
export * from "./local/open.ts";
export { type LockKind, lock, openLockFile, tryLock } from "./locks/flock.ts";
export { PathLocks } from "./locks/path-lock.ts";
export { nodeHashBackend } from "./node-hash.ts";
export { HashRewriter } from "./references/rewrite.ts";
export { ReferenceScanner } from "./references/scan.ts";
export * from "./settings/settings.ts";
export { type SettingKind, type SettingName, type SettingValues, settingsTable } from "./settings/table.ts";
export * from "./store.ts";
export * from "./substitute/binary-cache.ts";
export * from "./substitute/compression.ts";
export * from "./substitute/copy.ts";
export * from "./substitute/open.ts";
export * from "./substitute/transfer.ts";
