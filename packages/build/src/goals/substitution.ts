/** Copies missing paths from other stores, references first. */
import {
  type ContentAddress,
  FirnError,
  interrupted,
  makeFixedOutputPath,
  type PathInfo,
  printContentAddress,
  storePathName,
  wire,
} from "@firn/formats";
import { type EventSink, errorText, machineError, type PathWriter, type Store, setback } from "@firn/store";
import { Semaphore } from "./semaphore.ts";

/** A path some store offers. */
export interface Offer {
  readonly info: PathInfo & { readonly fileSize?: number };
  readonly store: Store;
  /** The path of the same content in that store, when its store directory is another. */
  readonly foreignPath?: string;
}

/** The stores to copy from and options of copying. */
export interface SubstitutionOptions {
  readonly store: Store & PathWriter;
  /** Opens the stores to query, best first; called when the first path is requested. */
  readonly substituters: () => Promise<readonly Store[]>;
  readonly maxJobs: number;
  readonly events: EventSink;
  readonly signal?: AbortSignal;
}

/** Queries each path once and copies it once. */
export class Substitution {
  readonly #options: SubstitutionOptions;
  readonly #offers = new Map<string, Promise<Offer | undefined>>();
  readonly #realisations = new Map<string, Promise<wire.Realisation | undefined>>();
  readonly #goals = new Map<string, Promise<boolean>>();
  readonly #slots: Semaphore;
  readonly #failed = new Set<Store>();
  /** Paths that a store has and could not give, or that need such a path. */
  readonly #broken = new Set<string>();
  #reported = false;

  constructor(options: SubstitutionOptions) {
    this.#options = options;
    this.#slots = new Semaphore(Math.max(1, options.maxJobs));
  }

  /** Returns the first store that has the path in an acceptable form. */
  offer(path: string): Promise<Offer | undefined> {
    let found = this.#offers.get(path);
    if (found === undefined) {
      found = this.#search(path);
      this.#offers.set(path, found);
    }
    return found;
  }

  /**
   * Makes a path valid together with its closure; returns false when no store has all of it. One without references whose content
   * address is given may come from a store with another store directory too.
   */
  obtain(path: string, address?: ContentAddress): Promise<boolean> {
    let goal = this.#goals.get(path);
    if (goal === undefined) {
      goal = this.#obtain(path, address);
      this.#goals.set(path, goal);
    }
    return goal;
  }

  /** Tells whether a path could not be obtained because a store failed to give what it has; one whose files are gone has nothing. */
  isBroken(path: string): boolean {
    return this.#broken.has(path);
  }

  /** Returns what an output was built to according to the first store that knows. */
  realisation(id: wire.DrvOutput): Promise<wire.Realisation | undefined> {
    const key = wire.printDrvOutput(id);
    let found = this.#realisations.get(key);
    if (found === undefined) {
      found = this.#searchRealisation(id);
      this.#realisations.set(key, found);
    }
    return found;
  }

  async #searchRealisation(id: wire.DrvOutput): Promise<wire.Realisation | undefined> {
    for (const substituter of await this.#options.substituters()) {
      const { realisations } = substituter.offers;
      if (this.#failed.has(substituter) || realisations === undefined) continue;
      try {
        const found = await realisations.queryRealisation(id);
        if (found !== undefined) return found;
      } catch (error) {
        this.#giveUp(substituter, error);
      }
    }
    return undefined;
  }

  /** Leaves a store that failed out from now on; throws what is no failure of the store. */
  #giveUp(substituter: Store, error: unknown): void {
    if (!(error instanceof FirnError) || error.code === "aborted") throw error;
    this.#failed.add(substituter);
    this.#options.events(setback(error, `${error.message}; not asking '${substituter.uri}' any more`));
  }

  async #search(path: string, tried: ReadonlySet<Store> = new Set()): Promise<Offer | undefined> {
    const { store } = this.#options;
    for (const substituter of await this.#options.substituters()) {
      if (this.#failed.has(substituter) || tried.has(substituter) || substituter.storeDir !== store.storeDir) continue;
      try {
        const info = await substituter.queryPathInfo(path);
        if (info === undefined) continue;
        if (store.offers.registry?.isTrusted(info) === false) {
          this.#say(
            "warn",
            `ignoring substitute for '${path}' from '${substituter.uri}', as it's not signed by any of the keys in 'trusted-public-keys'`,
          );
          continue;
        }
        return { info, store: substituter };
      } catch (error) {
        this.#giveUp(substituter, error);
      }
    }
    return undefined;
  }

  /** Returns the first store with another store directory that has the content of an address. */
  async #searchElsewhere(path: string, address: ContentAddress): Promise<Offer | undefined> {
    const { store } = this.#options;
    const name = storePathName(path);
    for (const substituter of await this.#options.substituters()) {
      if (this.#failed.has(substituter) || substituter.storeDir === store.storeDir) continue;
      const references = { others: [], self: false };
      const foreignPath = makeFixedOutputPath(address, { name, storeDir: substituter.storeDir, references });
      try {
        const info = await substituter.queryPathInfo(foreignPath);
        if (info?.ca === undefined || printContentAddress(info.ca) !== printContentAddress(address)) continue;
        if (info.references.length > 0) continue;
        const { deriver: _, ...own } = info;
        return { info: { ...own, path, signatures: [] }, store: substituter, foreignPath };
      } catch (error) {
        this.#giveUp(substituter, error);
      }
    }
    return undefined;
  }

  async #obtain(path: string, address: ContentAddress | undefined): Promise<boolean> {
    const { store } = this.#options;
    await store.addTempRoot(path);
    if (await store.isValidPath(path)) return true;
    const tried = new Set<Store>();
    for (;;) {
      const offer = tried.size === 0 ? await this.offer(path) : await this.#search(path, tried);
      if (offer === undefined) {
        const elsewhere = address === undefined ? undefined : await this.#searchElsewhere(path, address);
        return elsewhere !== undefined && (await this.#obtainFrom(elsewhere));
      }
      if (await this.#obtainFrom(offer)) return true;
      tried.add(offer.store);
    }
  }

  async #obtainFrom(offer: Offer): Promise<boolean> {
    const { path, references } = offer.info;
    const got = await Promise.all(
      references.filter((reference) => reference !== path).map((reference) => this.obtain(reference)),
    );
    if (got.includes(false)) {
      if (references.some((reference) => this.#broken.has(reference))) this.#broken.add(path);
      this.#say("debug", `some references of path '${path}' could not be realised`);
      return false;
    }
    return this.#slots.run(async () => {
      requireWanted(this.#options.signal);
      return this.#copy(offer);
    });
  }

  async #copy({ info, store: from, foreignPath }: Offer): Promise<boolean> {
    const { store, events, signal } = this.#options;
    const path = foreignPath ?? info.path;
    events({ kind: "copy-start", path, from: from.uri, to: store.uri, size: info.fileSize ?? info.narSize });
    let ok = false;
    try {
      await store.addToStore({ ...info, ultimate: false }, untilAborted(from.narFromPath(path), signal), {
        checkSignatures: true,
      });
      ok = true;
    } catch (error) {
      if (!(error instanceof FirnError)) throw machineError(error, `cannot fetch '${path}'`) ?? error;
      if (error.code === "aborted") throw error;
      if (error.code === "not-found") {
        this.#say("warn", error.message);
        return false;
      }
      this.#broken.add(info.path);
      this.#say("error", errorText(error.message));
      if (!this.#reported) this.#say("warn", `error: substitution of '${path}' from '${from.uri}' failed`);
      this.#reported = true;
    } finally {
      events({ kind: "copy-end", path, ok });
    }
    return ok;
  }

  #say(level: "warn" | "error" | "debug", text: string): void {
    this.#options.events({ kind: "message", level, text });
  }
}

function requireWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw interrupted();
}

/** Yields the chunks of an archive until the signal aborts. */
async function* untilAborted(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    requireWanted(signal);
    yield chunk;
  }
}
