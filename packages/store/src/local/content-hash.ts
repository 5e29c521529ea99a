/** Hashing store objects by every method of content addressing, also modulo self-references. */
import {
  type ContentAddress,
  type ContentAddressMethod,
  createHasher,
  FirnError,
  type Hash,
  type HashAlgorithm,
  ignoringNarSink,
  makeFixedOutputPath,
  NarParser,
  type PathInfo,
} from "@firn/formats";
import { HashRewriter } from "../references/rewrite.ts";
import type { NarChunks } from "../store/paths.ts";
import type { ContentOptions, PathWriter } from "../store/writing.ts";
import { GitTreeHasher } from "./git-hash.ts";

/** Options of hashing; `self` is the hash part whose occurrences count by position only. */
export interface ContentHashOptions {
  readonly method: ContentAddressMethod;
  readonly algorithm: HashAlgorithm;
  readonly self?: string;
}

/** Takes a NAR and computes the content hash by one method. */
class ContentHasher {
  readonly #push: (chunk: Uint8Array) => void;
  readonly #finish: () => Hash;

  constructor(options: ContentHashOptions) {
    const { algorithm } = options;
    switch (options.method) {
      case "nar": {
        const sink = modulo(options);
        this.#push = sink.push;
        this.#finish = sink.finish;
        return;
      }
      case "flat":
      case "text": {
        const sink = modulo(options);
        let plain = false;
        const notPlain = (): never => {
          throw new FirnError("not-a-file", "only a regular non-executable file can be hashed flat");
        };
        const parser = new NarParser({
          ...ignoringNarSink,
          directory: notPlain,
          symlink: notPlain,
          regular: () => {
            plain = true;
          },
          data: sink.push,
        });
        this.#push = (chunk) => parser.push(chunk);
        this.#finish = () => {
          parser.finish();
          if (!plain) notPlain();
          return sink.finish();
        };
        return;
      }
      case "git": {
        const hasher = new GitTreeHasher(algorithm);
        this.#push = (chunk) => hasher.push(chunk);
        this.#finish = () => ({ algorithm, bytes: hasher.digest() });
      }
    }
  }

  push(chunk: Uint8Array): void {
    this.#push(chunk);
  }

  finish(): Hash {
    return this.#finish();
  }
}

function modulo(options: ContentHashOptions): { push: (chunk: Uint8Array) => void; finish: () => Hash } {
  const { algorithm } = options;
  const hasher = createHasher(algorithm);
  if (options.self === undefined) {
    return { push: (chunk) => hasher.update(chunk), finish: () => ({ algorithm, bytes: hasher.digest() }) };
  }
  const rewriter = new HashRewriter(new Map([[options.self, "\0".repeat(options.self.length)]]), (chunk) =>
    hasher.update(chunk),
  );
  return {
    push: (chunk) => rewriter.push(chunk),
    finish: () => {
      rewriter.finish();
      // The reference means to hash the positions of self-references here too, but its list of them is never filled.
      return { algorithm, bytes: hasher.digest() };
    },
  };
}

/** Returns the content hash of a NAR given in memory or read synchronously. */
export function hashNarContent(nar: Iterable<Uint8Array>, options: ContentHashOptions): Hash {
  const hasher = new ContentHasher(options);
  for (const chunk of nar) hasher.push(chunk);
  return hasher.finish();
}

/** Returns content hash, NAR hash and NAR size, computed in one pass. */
export async function hashContent(
  nar: NarChunks,
  options: ContentHashOptions,
): Promise<{ hash: Hash; narHash: Hash; narSize: number }> {
  const isNarHash = options.method === "nar" && options.algorithm === "sha256" && options.self === undefined;
  const content = isNarHash ? undefined : new ContentHasher(options);
  const hasher = createHasher("sha256");
  let narSize = 0;
  for await (const chunk of nar) {
    content?.push(chunk);
    hasher.update(chunk);
    narSize += chunk.length;
  }
  const narHash: Hash = { algorithm: "sha256", bytes: hasher.digest() };
  return { hash: content?.finish() ?? narHash, narHash, narSize };
}

/** Returns the facts about an object whose path follows from its content. */
export function contentInfo(
  ca: ContentAddress,
  nar: Pick<PathInfo, "narHash" | "narSize">,
  { name, storeDir, references = [] }: Pick<ContentOptions, "name" | "references"> & { readonly storeDir: string },
): PathInfo {
  const others = [...new Set(references)].sort();
  const path = makeFixedOutputPath(ca, { name, storeDir, references: { others, self: false } });
  return { path, narHash: nar.narHash, narSize: nar.narSize, references: others, signatures: [], ca };
}

/** Adds content to a store that takes paths with their facts; the content is read twice. Errors are those of adding. */
export async function addWithFacts(
  store: Pick<PathWriter, "addToStore"> & { readonly storeDir: string },
  nar: () => NarChunks,
  options: ContentOptions,
): Promise<PathInfo> {
  const { method = "nar", algorithm = "sha256" } = options;
  const hashed = await hashContent(nar(), { method, algorithm });
  const info = contentInfo({ method, hash: hashed.hash }, hashed, { ...options, storeDir: store.storeDir });
  await store.addToStore(info, nar());
  return info;
}
