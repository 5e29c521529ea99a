/** Git's object hashes of a tree that arrives as a NAR (content-address method `git`). */
import { bytesOf, createHasher, FirnError, type HashAlgorithm, type Hasher, NarParser } from "@firn/formats";

interface Entry {
  readonly name: string;
  readonly mode: "100644" | "100755" | "120000" | "40000";
  readonly digest: Uint8Array;
}

/** Takes a NAR; `digest` returns the hash of the blob or tree at its root. */
export class GitTreeHasher {
  readonly #parser: NarParser;
  readonly #algorithm: HashAlgorithm;
  readonly #open: { path: string; entries: Entry[] }[] = [];
  #root: Uint8Array | undefined;
  #blob: Hasher | undefined;

  constructor(algorithm: HashAlgorithm) {
    this.#algorithm = algorithm;
    let executable = false;
    this.#parser = new NarParser({
      directory: (path) => {
        this.#closeUntil(parent(path));
        this.#open.push({ path, entries: [] });
      },
      regular: (path, file) => {
        this.#closeUntil(parent(path));
        executable = file.executable;
        this.#blob = createHasher(algorithm);
        this.#blob.update(bytesOf(`blob ${file.size}\0`));
      },
      data: (chunk) => this.#blob?.update(chunk),
      endRegular: (path) => this.#add(path, executable ? "100755" : "100644", this.#blob!.digest()),
      symlink: (path, target) => {
        this.#closeUntil(parent(path));
        const hasher = createHasher(algorithm);
        hasher.update(bytesOf(`blob ${target.length}\0${target}`));
        this.#add(path, "120000", hasher.digest());
      },
    });
  }

  push(chunk: Uint8Array): void {
    this.#parser.push(chunk);
  }

  digest(): Uint8Array {
    this.#parser.finish();
    this.#closeUntil(undefined);
    if (this.#root === undefined) throw new FirnError("bad-nar", "bad archive: empty");
    return this.#root;
  }

  /** Closes directories that are finished because the next path is outside them. */
  #closeUntil(path: string | undefined): void {
    while (this.#open.length > 0 && this.#open.at(-1)!.path !== path) {
      const { path: done, entries } = this.#open.pop()!;
      const key = (entry: Entry): string => entry.name + (entry.mode === "40000" ? "/" : "");
      entries.sort((a, b) => (key(a) < key(b) ? -1 : 1));
      const body = Buffer.concat(
        entries.flatMap((entry) => [Buffer.from(`${entry.mode} ${entry.name}\0`, "latin1"), entry.digest]),
      );
      const hasher = createHasher(this.#algorithm);
      hasher.update(bytesOf(`tree ${body.length}\0`));
      hasher.update(body);
      this.#add(done, "40000", hasher.digest());
    }
  }

  #add(path: string, mode: Entry["mode"], digest: Uint8Array): void {
    if (path === "") this.#root = digest;
    else this.#open.at(-1)!.entries.push({ name: path.slice(path.lastIndexOf("/") + 1), mode, digest });
  }
}

function parent(path: string): string | undefined {
  return path === "" ? undefined : path.slice(0, path.lastIndexOf("/"));
}
