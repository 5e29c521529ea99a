/** Fingerprints of locked flakes: equal for evaluations of equal trees with equal locks. */
import { createHash } from "node:crypto";
import { booleanAttribute, localRepository, stringAttribute, workTreeChanges } from "@firn/fetch";
import type { LockedFlake } from "./lock-flake.ts";

/**
 * Returns the fingerprint that the reference gives a locked flake, in base 16; undefined for trees without one. A dirty work tree is
 * looked at again.
 */
export async function flakeFingerprint({ flake, lockText }: LockedFlake): Promise<string | undefined> {
  const { input, dir } = flake.lockedRef;
  const tree = await treeFingerprint(input);
  if (tree === undefined) return undefined;
  const facts = ["revCount", "lastModified"].flatMap((name) => {
    const value = input.get(name);
    return value === undefined ? [] : [`;${name}=${value}`];
  });
  return createHash("sha256")
    .update(`${tree};${dir};${lockText.trimEnd()}${facts.join("")}`, "latin1")
    .digest("hex");
}

async function treeFingerprint(input: LockedFlake["flake"]["lockedRef"]["input"]): Promise<string | undefined> {
  const hash = stringAttribute(input, "narHash");
  const rev = stringAttribute(input, "rev");
  switch (input.get("type")) {
    case "path":
      return hash === undefined ? undefined : `path:${hash}`;
    case "git": {
      if (rev !== undefined) return rev + gitOptions(input);
      const directory = localRepository(input);
      if (directory === undefined || input.get("dirtyRev") === undefined) return undefined;
      const changes = await workTreeChanges(directory);
      return `${changes.revision}${gitOptions(input)};d=${changes.hash}`;
    }
    case "tarball":
    case "file":
      return hash ?? rev;
    default:
      return rev;
  }
}

function gitOptions(input: LockedFlake["flake"]["lockedRef"]["input"]): string {
  const options = { submodules: ";s", exportIgnore: ";e", lfs: ";l" } as const;
  const given = (Object.keys(options) as (keyof typeof options)[]).filter((name) => booleanAttribute(input, name));
  return given.map((name) => options[name]).join("");
}
