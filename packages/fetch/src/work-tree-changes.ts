/** The changes of a git work tree since its revision, as one hash. */
import { createHash } from "node:crypto";
import { dumpPath } from "@firn/store";
import { lstatSync } from "@firn/store/files";
import { git, gitText } from "./git-program.ts";
import { withRepository } from "./git-repository.ts";

/** A revision and the hash of what differs from it. */
export interface WorkTreeChanges {
  readonly revision: string;
  /** Base-16 SHA-512. */
  readonly hash: string;
}

/** Returns the changes of the tracked files of a work tree; submodules are not looked into. Fails with `git` where there is no revision. */
export function workTreeChanges(directory: string): Promise<WorkTreeChanges> {
  return withRepository(directory, async ({ call, shown }) => {
    const revision = await gitText({ ...call, args: ["rev-parse", "--verify", "HEAD^{commit}"] });
    const args = ["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty", "--no-renames", "-z"];
    const listed = (await git({ ...call, args })).toString("latin1").split("\0");
    const names = listed.filter((line) => line.length > 3).map((line) => line.slice(3));
    const hash = createHash("sha512");
    const isThere = (name: string): boolean => lstatSync(`${shown}/${name}`, { throwIfNoEntry: false }) !== undefined;
    // Slashes sort before everything else.
    const sorted = names.sort((a, b) => (a.replaceAll("/", "\0") < b.replaceAll("/", "\0") ? -1 : 1));
    for (const name of sorted.filter(isThere)) {
      hash.update(padded("modified:")).update(padded(`/${name}`));
      for (const chunk of dumpPath(`${shown}/${name}`)) hash.update(chunk);
    }
    for (const name of sorted.filter((own) => !isThere(own))) {
      hash.update(padded("deleted:")).update(padded(`/${name}`));
    }
    return { revision, hash: hash.digest("hex") };
  });
}

/** A string in the form of the archive format: its length in eight bytes, then its bytes, filled up to eight. */
function padded(text: string): Buffer {
  const bytes = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8);
  bytes.writeBigUInt64LE(BigInt(text.length));
  bytes.write(text, 8, "latin1");
  return bytes;
}
