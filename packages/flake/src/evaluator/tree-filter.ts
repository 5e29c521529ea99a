/** Runs a path filter over a tree before the copy, so that the copy can happen in another thread. */
import fs from "node:fs";
import type { FileType } from "@firn/language";
import { fsPath } from "@firn/store";

/** Paths below `root` that the filter keeps (`/a`, `/a/b`), parents first; `onDisk` tells where a path really lies. */
export function includedPaths(
  root: string,
  filter: (path: string, type: FileType) => boolean,
  onDisk: (path: string) => string | Buffer = fsPath,
): string[] {
  const kept: string[] = [];
  const visit = (path: string, relative: string): void => {
    const names = fs.readdirSync(onDisk(path), { encoding: "latin1" }).sort();
    for (const name of names) {
      const child = `${path === "/" ? "" : path}/${name}`;
      const stat = fs.lstatSync(onDisk(child));
      const type: FileType = stat.isDirectory()
        ? "directory"
        : stat.isSymbolicLink()
          ? "symlink"
          : stat.isFile()
            ? "regular"
            : "unknown";
      if (!filter(child, type)) continue;
      kept.push(`${relative}/${name}`);
      if (type === "directory") visit(child, `${relative}/${name}`);
    }
  };
  if (fs.lstatSync(onDisk(root)).isDirectory()) visit(root, "");
  return kept;
}
