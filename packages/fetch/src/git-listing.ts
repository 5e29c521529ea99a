/** Parsers for git's listings of trees and objects. */
import { FirnError } from "@firn/formats";

/** An entry of a revision; paths are byte strings relative to its root, unchecked as they are in the repository. */
export interface ListedEntry {
  readonly mode: string;
  readonly type: string;
  readonly object: string;
  readonly path: string;
}

/** Parses entries as `git ls-tree -r -z` prints them. Error `git` for anything else. */
export function parseTreeListing(output: Uint8Array): ListedEntry[] {
  const text = Buffer.from(output.buffer, output.byteOffset, output.length).toString("latin1");
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const match = /^(\d{6}) (\w+) ([0-9a-f]+)\t(.*)$/s.exec(line);
      if (match === null) throw new FirnError("git", `Git lists an entry that cannot be read: '${line}'`);
      const [, mode = "", type = "", object = "", path = ""] = match;
      return { mode, type, object, path };
    });
}

/**
 * Parses the contents of `count` objects as `git cat-file --batch` prints them; they are views into `output`. Error `git` for
 * anything else.
 */
export function parseObjects(output: Buffer, count: number): Buffer[] {
  const contents: Buffer[] = [];
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf("\n", at);
    const header = output.toString("latin1", at, end < 0 ? output.length : end);
    const size = /^[0-9a-f]+ \w+ (\d{1,15})$/.exec(header)?.[1];
    const start = end + 1;
    if (end < 0 || size === undefined || start + Number(size) >= output.length) {
      throw new FirnError("git", `Git object '${header}' cannot be read`);
    }
    contents.push(output.subarray(start, start + Number(size)));
    at = start + Number(size) + 1;
  }
  if (contents.length !== count) {
    throw new FirnError("git", `Git gave ${contents.length} objects where ${count} were asked for`);
  }
  return contents;
}
