/** Keeps the seconds that builds took last, by the names of their packages, in a small file of the user's cache. */
import { parseDrvName } from "@firn/formats";
import { disk } from "@firn/store";
import * as fs from "@firn/store/files";
import { storeName } from "./quantities.ts";

/** Times of builds. */
export interface BuildTimes {
  /** Returns the seconds that a build of the same package took last; undefined when none is known. */
  last(drvPath: string): number | undefined;
  /** Takes the seconds that a build took. */
  took(drvPath: string, seconds: number): void;
  /** Writes the file, if there is anything new. */
  save(): void;
}

const maxNames = 1000;
const maxBytes = 1 << 20;
/** Seconds that a build takes at least to be kept. */
const worthKeeping = 1;

/** Returns the times kept for the user whose environment this is; undefined when there is no place for them. */
export function buildTimesOf(env: Readonly<Record<string, string | undefined>>): BuildTimes | undefined {
  const { XDG_CACHE_HOME: caches, HOME: home } = env;
  const base = caches?.startsWith("/") ? caches : home?.startsWith("/") ? `${home}/.cache` : undefined;
  return base === undefined ? undefined : new KeptTimes(`${base}/firn/build-times.json`);
}

class KeptTimes implements BuildTimes {
  readonly #file: string;
  /** Seconds by name, the oldest first; undefined before they are read. */
  #seconds: Map<string, number> | undefined;
  readonly #fresh = new Map<string, number>();

  constructor(file: string) {
    this.#file = file;
  }

  last(drvPath: string): number | undefined {
    this.#seconds ??= readTimes(this.#file);
    return this.#seconds.get(nameOf(drvPath));
  }

  took(drvPath: string, seconds: number): void {
    if (seconds >= worthKeeping) this.#fresh.set(nameOf(drvPath), Math.round(seconds));
  }

  save(): void {
    if (this.#fresh.size === 0) return;
    // Another command may have written meanwhile.
    const all = readTimes(this.#file);
    for (const [name, seconds] of this.#fresh) {
      all.delete(name);
      all.set(name, seconds);
    }
    this.#fresh.clear();
    const kept = [...all].slice(-maxNames);
    try {
      disk.mkdirs(this.#file.slice(0, this.#file.lastIndexOf("/")));
      disk.replaceFile(this.#file, JSON.stringify(Object.fromEntries(kept)));
    } catch (error) {
      // A cache that cannot be written keeps nothing.
      if (!(error instanceof Error) || !("syscall" in error)) throw error;
    }
  }
}

function nameOf(drvPath: string): string {
  return parseDrvName(storeName(drvPath)).name;
}

/** Reads times; what is no such file counts as empty. */
function readTimes(file: string): Map<string, number> {
  const times = new Map<string, number>();
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || stat.size > maxBytes) return times;
  let read: unknown;
  try {
    read = JSON.parse(fs.readFileSync(file, "latin1"));
  } catch (error) {
    if (!(error instanceof SyntaxError || (error instanceof Error && "syscall" in error))) throw error;
  }
  if (typeof read !== "object" || read === null) return times;
  for (const [name, seconds] of Object.entries(read)) {
    if (typeof seconds === "number" && seconds > 0) times.set(name, seconds);
  }
  return times;
}
