/** The places on disk of paths in the store directory. */

/** The directories of a store, and whether the evaluation is pure. */
export interface StorePlacesOptions {
  readonly storeDir: string;
  readonly realStoreDir: string;
  readonly pure: boolean;
  /** Tells whether there is anything at a place, a link that leads nowhere too. */
  has(place: string): boolean;
}

/**
 * Returns a function from logical paths to their places. A path that the store lacks and the machine has at that place is itself, unless
 * the evaluation is pure: the machine's own store lies below the other one.
 */
export function storePlaces({ storeDir, realStoreDir, pure, has }: StorePlacesOptions): (path: string) => string {
  /** Names of the real store directory that are known to be there. */
  const present = new Set<string>();
  const isMachines = (name: string): boolean => {
    if (present.has(name)) return false;
    if (!has(realStoreDir + name)) return has(storeDir + name);
    present.add(name);
    return false;
  };
  return (path) => {
    if (realStoreDir === storeDir || !path.startsWith(`${storeDir}/`)) return path;
    const end = path.indexOf("/", storeDir.length + 1);
    if (!pure && isMachines(path.slice(storeDir.length, end < 0 ? undefined : end))) return path;
    return realStoreDir + path.slice(storeDir.length);
  };
}
