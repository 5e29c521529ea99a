/** Runs a path filter over a tree before the copy, so that the copy can happen in another thread. */

import type { FileType } from "@firn/language";
import { entriesIn } from "@firn/store";
import * as fs from "@firn/store/files";

/** Returns the paths below `root` that the filter keeps (`/a`, `/a/b`), parents first; `onDisk` returns the place of a path. */
export function includedPaths(
  root: string,
  filter: (path: string, type: FileType) => boolean,
  onDisk: (path: string) => string = (path) => path,
): string[] {
  const kept: string[] = [];
  const visit = (path: string, relative: string): void => {
    for (const { name, kind } of entriesIn(onDisk(path))) {
      const child = `${path === "/" ? "" : path}/${name}`;
      if (!filter(child, kind)) continue;
      kept.push(`${relative}/${name}`);
      if (kind === "directory") visit(child, `${relative}/${name}`);
    }
  };
  if (fs.lstatSync(onDisk(root)).isDirectory()) visit(root, "");
  return kept;
}
