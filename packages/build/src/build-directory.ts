/** The directories in which builds happen: each below one that nobody else may enter. */

import path from "node:path";
import { FirnError } from "@firn/formats";
import { disk, type HeldDirectory, makeHeldDirectory, type Settings, type StoreFiles, withPlace } from "@firn/store";
import * as fs from "@firn/store/files";

/** A directory for one build; paths are byte strings. */
export interface BuildDirectory {
  /** The directory that only this process's user may enter. */
  readonly top: HeldDirectory;
  /** Where the build happens, on this machine. */
  readonly host: string;
}

/** Makes one below the setting `build-dir`, by default `builds` in the state directory. Error `unsafe-build-dir`. */
export function makeBuildDirectory(store: StoreFiles, settings: Settings): BuildDirectory {
  const parent = settings.get("build-dir") ?? `${store.location.stateDir}/builds`;
  fs.mkdirSync(parent, { recursive: true, mode: 0o755 });
  requireSafe(parent);
  const top = makeHeldDirectory(parent);
  const host = `${top.path}/build`;
  disk.mkdir(host, 0o700);
  return { top, host };
}

/** Lets a builder that has no sandbox, and so comes by the path, pass to its own directory. */
export function openBuildDirectory({ top }: BuildDirectory): void {
  withPlace(top.path, (place) => place.chmod(0o711));
}

/** A directory that others could rename or exchange the build's directory in is refused; those with the sticky bit do not let them. */
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
