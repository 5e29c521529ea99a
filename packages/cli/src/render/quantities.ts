/** Sizes, times and names in readable form. */

/** Formats bytes as `3.4 MiB`. */
export function mebibytes(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

/** Formats bytes with the unit that fits, as the reference's `--human-readable`. */
export function humanSize(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** Formats seconds as `12 s` or `3 min`. */
export function duration(seconds: number): string {
  return seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

/** Returns the name of a store path: without directory, hash and `.drv`. */
export function storeName(path: string): string {
  return path.replace(/^.*\/[0-9a-z]{32}-/, "").replace(/\.drv$/, "");
}

/** Describes the result of a collection, in the reference's words. */
export function freed(paths: number, bytes: number): string {
  return `${paths} store paths deleted, ${humanSize(bytes)} freed`;
}
