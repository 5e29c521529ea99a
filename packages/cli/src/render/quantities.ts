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

/** Formats an amount as `1.0 of 3.4 MiB, 0.5 MiB/s, 5 s left`, as far as it is known after these seconds. */
export function progressOf(
  { done, size }: { readonly done: number; readonly size: number | undefined },
  seconds: number,
): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const speed = rate > 0 ? `, ${mebibytes(rate)}/s` : "";
  if (size === undefined || size === 0) return `${mebibytes(done)}${speed}`;
  const left = rate > 0 && done < size ? `, ${duration((size - done) / rate)} left` : "";
  return `${mebibytes(done).replace(" MiB", "")} of ${mebibytes(size)}${speed}${left}`;
}

/** Returns the name of a store path: without directory, hash and `.drv`. */
export function storeName(path: string): string {
  return path.replace(/^.*\/[0-9a-z]{32}-/, "").replace(/\.drv$/, "");
}

/** Describes the result of a collection, in the reference's words. */
export function freed(paths: number, bytes: number): string {
  return `${paths} store paths deleted, ${showSize(bytes)} freed`;
}
