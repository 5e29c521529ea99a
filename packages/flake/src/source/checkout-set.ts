/**
 * The Debian set of a checkout as a flake of its own: a copy of the files that it and `pkgs.firn` are made of, in the user's data. The
 * checkout itself is too large to be copied for each evaluation, and `os` alone lacks what Firn is built from.
 */
import { join } from "node:path";
import { disk } from "@firn/store";
import { copyFileSync, existsSync, lstatSync, readdirSync, rmSync, utimesSync } from "@firn/store/files";

/** Tells whether a path below the checkout belongs to the copy; as `os/pkgs/firn.nix` chooses. */
function belongs(path: string, isDirectory: boolean): boolean {
  if (isDirectory) return /^(packages(\/[^/]+(\/src(\/.*)?)?)?|scripts|(os|templates)(\/.*)?)$/.test(path);
  if (/\.test\.ts$/.test(path)) return false;
  return /^(packages\/[^/]+\/(src\/.*|package\.json)|scripts\/[^/]*\.ts|(os|templates)\/.*|package(-lock)?\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(
    path,
  );
}

/** Brings the copy of a checkout at `place` up to date and returns `place`. */
export function copyCheckout(checkout: string, place: string): string {
  disk.mkdirs(place);
  copyBelow(checkout, place, "");
  return place;
}

function copyBelow(from: string, to: string, path: string): void {
  const kept = new Set<string>();
  for (const name of readdirSync(join(from, path))) {
    const below = path === "" ? name : `${path}/${name}`;
    const source = lstatSync(join(from, below));
    if (source.isSymbolicLink() || !belongs(below, source.isDirectory())) continue;
    kept.add(name);
    const target = join(to, below);
    if (source.isDirectory()) {
      disk.mkdirs(target);
      copyBelow(from, to, below);
      continue;
    }
    const known = lstatSync(target, { throwIfNoEntry: false });
    // Equal size and time is what tells unchanged files from others in every tool that copies.
    if (known?.size === source.size && Math.trunc(known.mtimeMs) === Math.trunc(source.mtimeMs)) continue;
    const temporary = join(to, `.copy-${process.pid}`);
    copyFileSync(join(from, below), temporary);
    utimesSync(temporary, source.atime, source.mtime);
    disk.rename(temporary, target);
  }
  for (const name of readdirSync(join(to, path))) {
    if (!kept.has(name) && !name.startsWith(".copy-")) rmSync(join(to, path, name), { recursive: true, force: true });
  }
}

/** Tells whether a directory is a checkout from which Firn can be built. */
export function isCheckout(directory: string): boolean {
  return existsSync(join(directory, "scripts/bundle.ts"));
}
