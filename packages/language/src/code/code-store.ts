/**
 * The lowered code of source files, kept between processes: files whose content is known are loaded instead of parsed. Kept
 * code is found by content alone, so it serves for the same text at any path; it is a cache and may vanish at any time.
 */

import type { CodeCache } from "../host.ts";
import type { ParserOptions } from "../syntax/parser.ts";
import { parentOf } from "../syntax/path-text.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import { addRoot } from "./code-scopes.ts";
import type { LowerContext } from "./lower.ts";
import { codeSize } from "./memory.ts";
import { PackLoader } from "./packed/load-segment.ts";
import { Pack, PackBuilder, type Segment } from "./packed/pack.ts";
import { SegmentWriter } from "./packed/write-segment.ts";
import { addLazySource, addSource, type Source } from "./source.ts";

/** Number of new cells from which a pack is rewritten, if they are also a fiftieth of the known ones. */
const worthKeeping = 4096;
const maxBytes = 128 * 1024 * 1024;

interface Entry {
  readonly hash: string;
  readonly source: Source;
  readonly textLength: number;
  readonly root: number;
  /** The segment of the source in the pack; undefined when it was lowered here. */
  readonly segment: Segment | undefined;
  /** Set to true when parts are lowered that the pack does not have. */
  readonly changes: { lowered: boolean };
}

/** The services of its evaluator to the code store. */
export interface CodeOwner {
  readonly cache: CodeCache;
  /** A key of all inputs of lowering besides the text. */
  readonly key: string;
  readonly parser: ParserOptions;
  readonly isGlobal: (name: string) => boolean;
  /** Parses and lowers a source; `cacheable` is false when parsing reported something that has to be reported again. */
  compile(source: Source, changes: { lowered: boolean }): { readonly root: number; readonly cacheable: boolean };
}

export class CodeStore {
  private readonly owner: CodeOwner;
  private loader: PackLoader | undefined;
  private opened = false;
  private loaded = 0;
  private firstCell = codeSize();
  private readonly entries = new Map<string, Entry>();

  constructor(owner: CodeOwner) {
    this.owner = owner;
  }

  /** Returns the root node of a file's code. Errors are those of reading and parsing it. */
  root(path: string): number {
    const { cache } = this.owner;
    const { hash, length } = cache.identify(path);
    const changes = { lowered: false };
    const segment = this.entries.has(hash) ? undefined : this.segment(hash);
    if (segment !== undefined && segment.textLength === length) {
      const source = this.fileSource(path, hash, length);
      const { parser, isGlobal } = this.owner;
      const context: LowerContext = { source, parser, isGlobal, lazy: true, changes };
      const root = addRoot(this.loader!.load(segment, context), null);
      this.loaded += segment.codeLength;
      this.entries.set(hash, { hash, source, textLength: length, root, segment, changes });
      return root;
    }
    // What is read is what counts: the file may have changed since.
    const read = cache.read(path);
    const source = addSource("file", path, parentOf(path), read.text, read.hash);
    const { root, cacheable } = this.owner.compile(source, changes);
    if (cacheable && !this.entries.has(read.hash)) {
      const textLength = read.text.length;
      this.entries.set(read.hash, { hash: read.hash, source, textLength, root, segment: undefined, changes });
    }
    return root;
  }

  /** Adds a file whose content is known, to be read when its text is needed. */
  fileSource(path: string, hash: string, length: number): Source {
    return addLazySource({ name: path, directory: parentOf(path), length, hash }, () => this.text(path, hash));
  }

  /** Counts code that there is by now as no code of this evaluation. */
  startAnew(): void {
    this.firstCell = codeSize();
  }

  /** Returns the text that kept code was made from, for the rare needs of it. */
  private text(path: string, hash: string): string {
    const read = this.owner.cache.read(path);
    if (read.hash !== hash) {
      throw new EvaluationError("eval-error", `file '${path}' changed while it was being evaluated`);
    }
    return read.text;
  }

  private segment(hash: string): Segment | undefined {
    if (!this.opened) {
      this.opened = true;
      const bytes = this.owner.cache.load(this.owner.key);
      const pack = bytes === undefined ? undefined : Pack.read(bytes, this.owner.cache.decode);
      this.loader = pack === undefined ? undefined : new PackLoader(pack);
    }
    return this.loader?.pack.find(hash);
  }

  /** Writes new code, if that is worth the time. */
  keep(): void {
    this.owner.cache.finish?.();
    const pack = this.loader?.pack;
    const fresh = codeSize() - this.firstCell - this.loaded;
    if (this.entries.size === 0 || fresh < Math.max(worthKeeping, (pack?.code.length ?? 0) / 50)) return;
    let builder = this.build(pack);
    // Too much has gathered: what this evaluation used is what stays.
    if (builder.size() > maxBytes) builder = this.build(undefined);
    if (builder.size() <= maxBytes) this.owner.cache.store(this.owner.key, builder.pieces());
  }

  private build(pack: Pack | undefined): PackBuilder {
    const builder = new PackBuilder(pack);
    for (const entry of this.entries.values()) {
      const { hash, textLength, source, root, segment, changes } = entry;
      if (pack !== undefined && segment !== undefined && !changes.lowered) builder.add(segment);
      else builder.add(new SegmentWriter(builder, source.base).write(root, { hash, textLength }));
    }
    for (const segment of pack?.segments() ?? []) if (!this.entries.has(segment.hash)) builder.add(segment);
    return builder;
  }
}
