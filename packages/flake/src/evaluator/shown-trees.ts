/** Names of trees in the store for errors: the user's own files where a tree is a Git work tree as it stands, else the source that was fetched. */
import type { FirnError, SourcePosition } from "@firn/formats";
import { existsSync } from "@firn/store/files";

/** Returns the error's text for a path that a Git work tree lacks: it is not tracked, or does not exist at all. */
export function missingInWorkTree(directory: string, path: string): string {
  if (!existsSync(`${directory}/${path}`)) return `Path '${path}' does not exist in Git repository "${directory}".`;
  const command = `git -C "${directory}" add "${path}"`;
  return `Path '${path}' in the repository "${directory}" is not tracked by Git.\n\nTo make it visible to Nix, run:\n\n${command}`;
}

/** The name of a tree: the directory of a Git work tree, or a source in guillemets, which is a revision, or what the store had already. */
export interface TreeName {
  readonly root: string;
  readonly kind: "work-tree" | "revision" | "stored";
}

/** Knows the names of an evaluation's trees by their store paths. */
export class ShownTrees {
  readonly #names = new Map<string, TreeName>();

  /** Adds the name of a tree. */
  add(storePath: string, name: TreeName): void {
    this.#names.set(storePath, name);
  }

  /** Adds another store path for the tree of one that is known. */
  addSame(known: string, storePath: string): void {
    const name = this.#names.get(known);
    if (name !== undefined) this.#names.set(storePath, name);
  }

  /** Returns the error's text for a path in a known tree at which there is nothing that could be imported; undefined for all others. */
  whyMissing(path: string): string | undefined {
    const found = this.#find(path);
    if (found === undefined) return undefined;
    const { name, rest } = found;
    return name.kind === "work-tree"
      ? missingInWorkTree(name.root, rest)
      : `path '${name.root}/${rest}' does not exist`;
  }

  /** Returns the error's text for a path in a known tree at which there is nothing to read; undefined for all others. */
  whyUnreadable(path: string): string | undefined {
    const found = this.#find(path);
    if (found === undefined) return undefined;
    const { name, rest } = found;
    switch (name.kind) {
      case "work-tree":
        return missingInWorkTree(name.root, rest);
      case "revision":
        return `'${name.root}/${rest}' does not exist`;
      case "stored":
        return `opening file '${path}': No such file or directory`;
    }
  }

  #find(path: string): { readonly name: TreeName; readonly rest: string } | undefined {
    for (const [storePath, name] of this.#names) {
      if (path.startsWith(`${storePath}/`)) return { name, rest: path.slice(storePath.length + 1) };
    }
    return undefined;
  }

  /** Returns the position and the trace of an error with the names of trees. */
  shown({ position, trace }: FirnError): Pick<FirnError, "position" | "trace"> {
    if (this.#names.size === 0) return { position, trace };
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
    for (const [storePath, { root }] of this.#names) shown = shown.replaceAll(`${storePath}/`, `${root}/`);
    return shown;
  }
}
