/** Changes between closures as text, in the reference's words. */
import { showSize } from "@firn/formats";
import { notableSize, type PackageChange } from "@firn/store";
import { colors } from "./colors.ts";

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
    const colour = sizeChange > 0 ? `${colors.red}+` : colors.green;
    parts.push(`${colour}${showSize(sizeChange)}${colors.normal}`);
  }
  return `${name}: ${parts.join(", ")}`;
}
