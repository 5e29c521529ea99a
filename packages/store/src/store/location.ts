/** The location of a local store: its logical directory and the directories on disk. */
import { defaultStoreDir } from "@firn/formats";

/** Directories of a local store (byte strings, absolute). With a root, logical paths stay `/nix/store/…` and only `real…` moves. */
export interface StoreLocation {
  readonly storeDir: string;
  readonly realStoreDir: string;
  readonly stateDir: string;
  readonly logDir: string;
  /** Physical prefix of a chroot store. */
  readonly rootDir?: string;
}

/** Returns the location of a store under `rootDir`, or of the machine's own. */
export function storeLocation(options: {
  rootDir?: string;
  storeDir?: string;
  stateDir?: string;
  logDir?: string;
  realStoreDir?: string;
}): StoreLocation {
  const storeDir = options.storeDir ?? defaultStoreDir;
  const { rootDir } = options;
  if (rootDir !== undefined) {
    return {
      storeDir,
      realStoreDir: options.realStoreDir ?? `${rootDir}/nix/store`,
      stateDir: options.stateDir ?? `${rootDir}/nix/var/nix`,
      logDir: options.logDir ?? `${rootDir}/nix/var/log/nix`,
      rootDir,
    };
  }
  return {
    storeDir,
    realStoreDir: options.realStoreDir ?? storeDir,
    stateDir: options.stateDir ?? "/nix/var/nix",
    logDir: options.logDir ?? "/nix/var/log/nix",
  };
}
