/** The directories in which builds happen: each below one that nobody else may enter. */

import path from "node:path";
import { FirnError } from "@firn/formats";
import { disk, type HeldDirectory, makeHeldDirectory, type Settings, type StoreFiles, withPlace } from "@firn/store";
import * as fs from "@firn/store/files";

/** A directory for one build; paths are byte strings. */
export interface BuildDirectory {
  /** The directory that only this process's user may enter. */
  readonly top: HeldDirectory;
  /** The build directory's path on this machine. */
  readonly host: string;
}

/** Makes a build directory below the setting `build-dir`, by default `builds` in the state directory. Error `unsafe-build-dir`. */
export function makeBuildDirectory(store: StoreFiles, settings: Settings): BuildDirectory {
  const parent = settings.get("build-dir") ?? `${store.location.stateDir}/builds`;
  fs.mkdirSync(parent, { recursive: true, mode: 0o755 });
  requireSafe(parent);
  const top = makeHeldDirectory(parent);
  const host = `${top.path}/build`;
  disk.mkdir(host, 0o700);
  return { top, host };
}

/** Lets a builder that runs without a sandbox, and so reaches the directory by its path, enter its own directory. */
export function openBuildDirectory({ top }: BuildDirectory): void {
  withPlace(top.path, (place) => place.chmod(0o711));
}

/** Refuses a directory in which other users could rename or exchange the build's directory; the sticky bit prevents that. */
function requireSafe(parent: string): void {
  const real = fs.realpathSync(parent, { encoding: "latin1" });
  for (let directory = real; ; directory = path.posix.dirname(directory)) {
    const { mode } = fs.lstatSync(directory);
    if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0) {
      throw new FirnError(
        "unsafe-build-dir",
        `Path "${directory}" is world-writable. That's not allowed for security.`,
        {
          hint: "take the permission away with chmod o-w, or set build-dir to another directory",
        },
      );
    }
    if (directory === "/") return;
  }
}
