/** Changes between closures as text, in the reference's words. */
import { showSize } from "@firn/formats";
import { notableSize, type PackageChange } from "@firn/store";

function bytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function versions(list: readonly string[]): string {
  return list.length === 0 ? bytes("∅") : list.map((version) => (version === "" ? bytes("ε") : version)).join(", ");
}

/** Returns what changed in a package: its versions, and its size when that is notable. A byte string. */
export function changeLine({ name, removed, added, sizeChange }: PackageChange): string {
  const parts: string[] = [];
  if (removed.length + added.length > 0) parts.push(`${versions(removed)} ${bytes("→")} ${versions(added)}`);
  if (Math.abs(sizeChange) >= notableSize) {
    const colour = sizeChange > 0 ? "\x1b[31;1m+" : "\x1b[32;1m";
    parts.push(`${colour}${showSize(sizeChange)}\x1b[0m`);
  }
  return `${name}: ${parts.join(", ")}`;
}
