/** Sizes in readable form. */

const units = ["KiB", "MiB", "GiB", "TiB"];

/** Returns a number of bytes with the unit that fits, from KiB on, as the reference prints it. */
export function showSize(bytes: number): string {
  let value = bytes / 1024;
  let unit = 0;
  while (Math.abs(value) > 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}
