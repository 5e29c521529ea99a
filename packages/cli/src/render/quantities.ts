/** Sizes, times and names in readable form. */
import { showSize } from "@firn/formats/base";

/** Formats bytes as `3.4 MiB`. */
export function mebibytes(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`;
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
  return `${paths} store paths deleted, ${showSize(bytes)} freed`;
}
