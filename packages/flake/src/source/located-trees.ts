/** Trees of this machine that an evaluation reads where they lie, until something needs their store paths. */
import { createHash } from "node:crypto";
import { type FetchedTree, integerAttribute, type LocalTree, requireString } from "@firn/fetch";
import { canonicalPath, FirnError, printHash } from "@firn/formats";
import { realpathSync } from "@firn/store/files";
import { keptPaths, type PlacedTree, type TreeFacts } from "../evaluator/placed-trees.ts";

interface Located {
  readonly tree: LocalTree;
  readonly placed: PlacedTree;
  readonly kept: ReadonlySet<string> | undefined;
  stored: Promise<FetchedTree> | undefined;
}

/** The trees of one evaluation by the stand-ins of their store paths. */
export class LocatedTrees {
  readonly #storeDir: string;
  readonly #trees = new Map<string, Located>();

  constructor(storeDir: string) {
    this.#storeDir = storeDir;
  }

  /**
   * Adds a tree and returns its stand-in, a path of the length of the store path that no store path is equal to. The same tree, up to the
   * contents of files that belong to no revision, has the same stand-in in another process.
   */
  add(tree: LocalTree): string {
    const directory = canonicalPath(realpathSync(tree.directory));
    const fileList = tree.only === undefined ? undefined : [...tree.only].join("\0");
    const { isRevision, name } = tree;
    const locked = [...tree.locked].map(([key, value]) => [key, String(value)]);
    const about = [directory, name, isRevision, locked, this.#trees.size, fileList ?? null];
    const bytes = createHash("sha256").update(JSON.stringify(about), "latin1").digest();
    const digest = printHash({ algorithm: "sha256", bytes }, "nix32", false);
    // Hashes have no 'e'.
    const standIn = `${this.#storeDir}/e${digest.slice(0, 31)}-${name}`;
    // Clocks of file systems go in steps.
    const since = tree.since - 20;
    const placed = { directory, isRevision, since, ...(fileList === undefined ? {} : { fileList }) };
    const kept = tree.only === undefined ? undefined : keptPaths(tree.only);
    this.#trees.set(standIn, { tree, placed, kept, stored: undefined });
    return standIn;
  }

  /** Returns the tree of a stand-in; undefined for other paths. */
  find(
    path: string,
  ): { readonly tree: LocalTree; readonly placed: PlacedTree; has(relative: string): boolean } | undefined {
    const located = this.#trees.get(path);
    if (located === undefined) return undefined;
    const { tree, placed, kept } = located;
    return { tree, placed, has: (relative) => relative === "/" || kept?.has(relative.slice(1)) !== false };
  }

  /** Returns the tree of a stand-in in the store, copied there the first time. Fails as fetching does. */
  store(standIn: string): Promise<FetchedTree> {
    const located = this.#trees.get(standIn);
    if (located === undefined) throw new FirnError("internal", `no tree has the stand-in '${standIn}'`);
    located.stored ??= located.tree.store();
    return located.stored;
  }

  /** Tells whether the tree of a stand-in was copied to the store, or is being copied. */
  isStored(standIn: string): boolean {
    return this.#trees.get(standIn)?.stored !== undefined;
  }

  /** Returns what the evaluation is told of a tree. Fails as fetching does. */
  async facts(standIn: string): Promise<TreeFacts> {
    const { storePath, locked } = await this.store(standIn);
    const { tree, placed, kept } = this.#trees.get(standIn)!;
    const lastModified = integerAttribute(locked, "lastModified") ?? 0n;
    const include = kept === undefined ? {} : { include: [...kept].map((path) => `/${path}`).sort(), isListed: true };
    const read = { path: placed.directory, name: tree.name, method: "nar" as const, references: [], storePath };
    return {
      storePath,
      narHash: requireString(locked, "narHash"),
      lastModified,
      ...(placed.isRevision ? {} : { read: { ...read, ...include } }),
    };
  }

  /** Returns an error whose texts have the store paths of trees. Fails as fetching does. */
  async shownError(error: FirnError): Promise<FirnError> {
    const texts = [error.message, ...error.trace.map(({ message }) => message)];
    const shown = await Promise.all(texts.map((text) => this.shownText(text)));
    if (shown.every((text, i) => text === texts[i])) return error;
    const { code, hint, suggestions, exitStatus, position } = error;
    return new FirnError(code, shown[0]!, {
      ...(hint === undefined ? {} : { hint }),
      ...(position === undefined ? {} : { position }),
      suggestions,
      exitStatus,
      trace: error.trace.map((frame, i) => ({ ...frame, message: shown[i + 1]! })),
      cause: error,
    });
  }

  /** Returns a text with the store paths of trees wherever their stand-ins occur. Fails as fetching does. */
  async shownText(text: string): Promise<string> {
    let shown = text;
    for (const standIn of this.#trees.keys()) {
      if (shown.includes(standIn)) shown = shown.replaceAll(standIn, (await this.store(standIn)).storePath);
    }
    return shown;
  }
}
