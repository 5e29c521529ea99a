/** Walks over trees that somebody else may be changing: by open directories, never through a link, however deep they are. */
import type { Stats } from "node:fs";
import type { OpenDirectory } from "./open-directory.ts";

/** Limit of directories that are held open at once; higher ones are opened again on the way back. */
const MAX_OPEN = 64;

/** One step: a directory is entered before its contents and left after them. Directories of a step may be used until the next one. */
export type WalkStep =
  | { readonly kind: "file"; readonly parent: OpenDirectory; readonly name: string; readonly stat: Stats }
  | {
      readonly kind: "enter" | "leave";
      readonly parent: OpenDirectory;
      readonly name: string;
      readonly directory: OpenDirectory;
      readonly stat: Stats;
    };

/** Options of walking. */
export interface WalkOptions {
  /** True to make directories accessible to their owner before they are entered. */
  readonly unlock?: boolean;
}

/** A directory on the way down; `directory` is undefined while it is not held open. */
interface Frame {
  directory: OpenDirectory | undefined;
  readonly shown: string;
  readonly name: string;
  readonly stat: Stats;
  readonly names: string[];
}

/** Walks over the entry `name` of `parent`, which stays open. Error `tree-changed` when a directory is moved away meanwhile. */
export function* walk(
  parent: OpenDirectory,
  name: string,
  options: WalkOptions = {},
): Generator<WalkStep, void, undefined> {
  const frames: Frame[] = [{ directory: parent, shown: parent.shown, name: "", stat: parent.stat(), names: [name] }];
  try {
    while (frames.length > 0) {
      const frame = frames.at(-1)!;
      const next = frame.names.pop();
      if (next === undefined) {
        if (frames.length === 1) return;
        const above = frames.at(-2)!;
        above.directory ??= frame.directory!.openParent(above.stat, above.shown);
        yield {
          kind: "leave",
          parent: above.directory,
          name: frame.name,
          directory: frame.directory!,
          stat: frame.stat,
        };
        frames.pop();
        frame.directory!.close();
        continue;
      }
      const holder = frame.directory!;
      const stat = holder.find(next);
      if (stat === undefined) continue;
      if (!stat.isDirectory()) {
        yield { kind: "file", parent: holder, name: next, stat };
        continue;
      }
      if (options.unlock === true && (stat.mode & 0o700) !== 0o700) holder.unlock(next);
      const directory = holder.openDirectory(next);
      frames.push({ directory, shown: directory.shown, name: next, stat: directory.stat(), names: [] });
      yield { kind: "enter", parent: holder, name: next, directory, stat };
      frames.at(-1)!.names.push(...directory.names().reverse());
      const far = frames.at(-1 - MAX_OPEN);
      if (far !== undefined && frames.length - 1 > MAX_OPEN) {
        far.directory?.close();
        far.directory = undefined;
      }
    }
  } finally {
    for (const frame of frames.slice(1)) frame.directory?.close();
  }
}
