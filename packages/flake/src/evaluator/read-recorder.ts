/** Records what an evaluation reads through its host. Runs where the evaluation runs. */
import type { EvalHost, FileType } from "@firn/language";
import { contentDigest, listingDigest } from "./file-digest.ts";
import type { PlacedTrees } from "./placed-trees.ts";
import { noReads, type Reads } from "./reads.ts";

/** Prefix of the files that Firn itself carries. */
const internal = "/__corepkgs__/";

/** Records reads; each file, listing, link or variable once. */
export class ReadRecorder {
  #reads = noReads();
  /** The kind and name of everything recorded already. */
  readonly #known = new Set<string>();
  /** The trees that are read where they lie. */
  #trees: PlacedTrees | undefined;

  /** Returns the reads since the last call. */
  take(): Reads {
    if (this.#trees?.hasChanged() === true) this.#unrepeatable("files changed meanwhile");
    const reads = this.#reads;
    this.#reads = noReads();
    if (reads.unrepeatable !== undefined) this.#reads.unrepeatable = reads.unrepeatable;
    return reads;
  }

  #isNew(kind: string, name: string): boolean {
    const key = `${kind} ${name}`;
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    return true;
  }

  #type(path: string, type: FileType | undefined): void {
    if (this.#isNew("type", path)) this.#reads.types.push([path, type ?? null]);
  }

  #unrepeatable(reason: string): void {
    this.#reads.unrepeatable ??= reason;
  }

  /** Returns a host that does the same and records it; `trees` are those that it reads where they lie. */
  record(host: EvalHost, trees?: PlacedTrees): EvalHost {
    this.#trees = trees;
    const below = `${host.storeDir}/`;
    const { codeCache } = host;

    /** Returns the path of what is read; undefined where the evaluation's key tells what is there, and what is not. */
    const nameOf = (path: string): string | undefined => {
      const placed = trees?.placeOf(path);
      if (placed === undefined) return path;
      return placed.kind === "absent" || (placed.kind === "local" && placed.isRevision) ? undefined : placed.place;
    };

    /** Records a path of the store as a whole, since its contents never change. Returns false for other paths. */
    const isStored = (path: string): boolean => {
      if (!path.startsWith(below)) return path.startsWith(internal);
      const end = path.indexOf("/", below.length);
      const storePath = end < 0 ? path : path.slice(0, end);
      if (this.#isNew("store", storePath)) this.#reads.storePaths.push(storePath);
      return true;
    };

    /** Returns the path whose contents are read: where a link leads out of the store, its target; undefined within the store. */
    const outside = (path: string): string | undefined => {
      const name = nameOf(path);
      if (name !== undefined && !isStored(name)) return name;
      if (path.startsWith(internal)) return undefined;
      const place = nameOf(host.resolveSymlinks(path));
      return place === undefined || isStored(place) ? undefined : place;
    };

    /** Records that no link leads to what is read where it lies: there, what lies behind one is not read. */
    const readInPlace = (path: string, place: string | undefined): void => {
      if (place === undefined || trees?.placeOf(path)?.kind !== "local" || !this.#isNew("resolved", place)) return;
      this.#reads.resolved.push([place, place]);
    };

    const fileRead = (path: string, digest: () => string): void => {
      const place = outside(path);
      readInPlace(path, place);
      if (place !== undefined && this.#isNew("file", place)) this.#reads.files.push([place, digest()]);
    };

    const fileType: EvalHost["fileType"] = (path) => {
      const type = host.fileType(path);
      const name = nameOf(path);
      if (name !== undefined && !isStored(name)) this.#type(name, type);
      return type;
    };

    return {
      ...host,
      fileType,
      resolveSymlinks: (path) => {
        const place = host.resolveSymlinks(path);
        const name = nameOf(path);
        const reached = nameOf(place);
        if (name !== undefined && !isStored(name) && this.#isNew("resolved", name)) {
          this.#reads.resolved.push([name, reached ?? place]);
        }
        if (reached !== undefined) isStored(reached);
        return place;
      },
      readFile: (path) => {
        const text = host.readFile(path);
        fileRead(path, () => contentDigest(Buffer.from(text, "latin1")));
        return text;
      },
      readDirectory: (path) => {
        const entries = host.readDirectory(path);
        const place = outside(path);
        readInPlace(path, place);
        const placed = trees?.placeOf(path);
        if (place !== undefined && placed?.kind === "local" && placed.isListed) {
          // The names are part of the key.
          for (const [name, type] of entries) this.#type(`${place}/${name}`, type);
        } else if (place !== undefined && this.#isNew("directory", place)) {
          this.#reads.directories.push([place, listingDigest(entries)]);
        }
        return entries;
      },
      currentTime: () => {
        this.#unrepeatable("it asked for the time");
        return host.currentTime();
      },
      environment: (name) => {
        const value = host.environment(name);
        if (this.#isNew("variable", name)) this.#reads.variables.push([name, value]);
        return value;
      },
      addPathToStore: (request) => {
        const { name, method, filter, references = [] } = request;
        const path = nameOf(request.path);
        const listed = trees?.placeOf(request.path)?.kind === "local" ? trees.pathsBelow(request.path) : undefined;
        const kept: string[] = [];
        const observed =
          filter === undefined
            ? request
            : {
                ...request,
                filter: (file: string, type: Parameters<typeof filter>[1]) => {
                  const keeps = filter(file, type);
                  if (keeps) kept.push(file);
                  return keeps;
                },
              };
        const storePath = host.addPathToStore(observed);
        // A link is copied as it is.
        if (path !== undefined && !isStored(path)) {
          // The filter is given places; the first is an entry of the root.
          const [first] = kept;
          const root = first === undefined ? path : first.slice(0, Math.max(1, first.lastIndexOf("/")));
          const include = kept.map((file) => (root === "/" ? file : file.slice(root.length)));
          const tree = { path: root, name, method, references, storePath };
          if (this.#isNew("tree", `${root}\0${storePath}`)) {
            if (filter !== undefined) this.#reads.trees.push({ ...tree, include });
            else this.#reads.trees.push(listed === undefined ? tree : { ...tree, include: listed, isListed: true });
          }
        }
        return storePath;
      },
      runProgram: (words) => {
        this.#unrepeatable("it ran a program");
        return host.runProgram(words);
      },
      resolveSearchPathEntry: (path) => {
        const found = host.resolveSearchPathEntry(path);
        if (!path.startsWith("/")) this.#unrepeatable("its search path has entries that are not absolute paths");
        else if (!isStored(path) && this.#isNew("type", path)) {
          this.#reads.types.push([path, (found === undefined ? undefined : host.fileType(found)) ?? null]);
        }
        return found;
      },
      ...(codeCache === undefined
        ? {}
        : {
            codeCache: {
              ...codeCache,
              identify: (path) => {
                const identity = codeCache.identify(path);
                fileRead(path, () => identity.hash);
                return identity;
              },
              read: (path) => {
                const source = codeCache.read(path);
                fileRead(path, () => source.hash);
                return source;
              },
            },
          }),
    };
  }
}
