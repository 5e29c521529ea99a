/** Debian's version order: `[epoch:]upstream[-revision]`, `~` before the end of a string, digits as numbers (deb-version(7)). */
import type { Dependency } from "./control.ts";

/** Compares two Debian versions; negative, zero or positive. */
export function compareDebianVersions(a: string, b: string): number {
  const [epochA, restA] = splitEpoch(a);
  const [epochB, restB] = splitEpoch(b);
  if (epochA !== epochB) return epochA - epochB;
  const [upstreamA, revisionA] = splitRevision(restA);
  const [upstreamB, revisionB] = splitRevision(restB);
  return compareParts(upstreamA, upstreamB) || compareParts(revisionA, revisionB);
}

/** Tells whether a version satisfies a dependency's constraint; true when there is no constraint. */
export function satisfies(version: string, dependency: Dependency): boolean {
  if (dependency.relation === undefined || dependency.version === undefined) return true;
  const order = compareDebianVersions(version, dependency.version);
  switch (dependency.relation) {
    case "<<":
      return order < 0;
    case "<=":
      return order <= 0;
    case "=":
      return order === 0;
    case ">=":
      return order >= 0;
    case ">>":
      return order > 0;
  }
}

function splitEpoch(version: string): [number, string] {
  const colon = version.indexOf(":");
  return colon < 0 ? [0, version] : [Number(version.slice(0, colon)), version.slice(colon + 1)];
}

function splitRevision(version: string): [string, string] {
  const dash = version.lastIndexOf("-");
  return dash < 0 ? [version, ""] : [version.slice(0, dash), version.slice(dash + 1)];
}

function compareParts(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const order = weight(a, i) - weight(b, j);
      if (order !== 0) return order;
      i++;
      j++;
    }
    const startA = i;
    const startB = j;
    while (isDigit(a, i)) i++;
    while (isDigit(b, j)) j++;
    const digitsA = a.slice(startA, i).replace(/^0+/, "");
    const digitsB = b.slice(startB, j).replace(/^0+/, "");
    if (digitsA.length !== digitsB.length) return digitsA.length - digitsB.length;
    if (digitsA !== digitsB) return digitsA < digitsB ? -1 : 1;
  }
  return 0;
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 48 && code <= 57;
}

/** Returns the sort weight of a character: `~` before the end, the end and digits before letters, letters before everything else. */
function weight(text: string, index: number): number {
  if (index >= text.length || isDigit(text, index)) return 0;
  const code = text.charCodeAt(index);
  if (code === 126) return -1;
  const letter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  return letter ? code : code + 256;
}
