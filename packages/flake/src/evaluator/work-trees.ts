/** Trees in the store that were taken from Git work trees as they stand: errors about them name the user's own files. */
import type { FirnError, SourcePosition } from "@firn/formats";
import { existsSync } from "@firn/store/files";

/** Returns the error's text for a path that a Git work tree lacks: it is not tracked, or does not exist at all. */
export function missingInWorkTree(directory: string, path: string): string {
  if (!existsSync(`${directory}/${path}`)) return `Path '${path}' does not exist in Git repository "${directory}".`;
  const command = `git -C "${directory}" add "${path}"`;
  return `Path '${path}' in the repository "${directory}" is not tracked by Git.\n\nTo make it visible to Nix, run:\n\n${command}`;
}

/** Knows the work trees of an evaluation by the store paths that hold their tracked files. */
export class WorkTrees {
  readonly #directories = new Map<string, string>();

  /** Adds the work tree whose tracked files a store path holds. */
  add(storePath: string, directory: string): void {
    this.#directories.set(storePath, directory);
  }

  /** Adds another store path for the tree of one that is known. */
  addSame(known: string, storePath: string): void {
    const directory = this.#directories.get(known);
    if (directory !== undefined) this.#directories.set(storePath, directory);
  }

  /** Returns the error's text for a path in a known tree at which there is nothing; undefined for all others. */
  whyMissing(path: string): string | undefined {
    for (const [storePath, directory] of this.#directories) {
      if (path.startsWith(`${storePath}/`)) return missingInWorkTree(directory, path.slice(storePath.length + 1));
    }
    return undefined;
  }

  /** Returns the position and the trace of an error with the user's own files. */
  shown({ position, trace }: FirnError): Pick<FirnError, "position" | "trace"> {
    if (this.#directories.size === 0) return { position, trace };
    return {
      position: position && this.#place(position),
      trace: trace.map((frame) => ({
        ...frame,
        message: this.#text(frame.message),
        ...(frame.position === undefined ? {} : { position: this.#place(frame.position) }),
      })),
    };
  }

  #place(position: SourcePosition): SourcePosition {
    return { ...position, file: this.#text(position.file) };
  }

  #text(text: string): string {
    let shown = text;
    for (const [storePath, directory] of this.#directories) shown = shown.replaceAll(`${storePath}/`, `${directory}/`);
    return shown;
  }
}
