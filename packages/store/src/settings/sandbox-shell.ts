/**
 * The shell of builds: what the setting sandbox-paths shows as /bin/sh when nothing sets it. The reference is compiled with the path of
 * a static one; here it is found on the machine.
 */
import path from "node:path";
import * as fs from "../fs/files.ts";

/** Shells that need nothing beside themselves. */
const STATIC = ["/bin/busybox", "/usr/bin/busybox", "/usr/bin/bash-static"];

/** More libraries than any shell loads, so that files that name each other in a circle have an end. */
const MOST_FILES = 32;

/**
 * Returns the entries of the setting sandbox-paths that make /bin/sh run in a sandbox: a static shell of the machine, else the
 * machine's own /bin/sh with the loader and the libraries that it names; none on a machine without either. `shells` are the paths
 * that are tried, the last one with its libraries.
 */
export function sandboxShell(shells: readonly string[] = [...STATIC, "/bin/sh"]): string[] {
  for (const shell of shells) {
    const loaded = fs.existsSync(shell) ? loadedFiles(fs.realpathSync(shell)) : undefined;
    if (loaded !== undefined) return [`/bin/sh=${shell}`, ...loaded];
  }
  return [];
}

/** The names in the headers of a program: the path of its loader and its libraries. */
interface DynamicNames {
  readonly loader: string | undefined;
  readonly libraries: readonly string[];
}

/** Returns the loader and all libraries of a program; undefined when it is none or one is not where loaders look first. */
function loadedFiles(program: string): string[] | undefined {
  const own = dynamicNames(program);
  if (own === undefined) return undefined;
  if (own.loader === undefined) return [];
  if (!fs.existsSync(own.loader)) return undefined;
  // The libraries of a system lie beside its loader.
  const directory = path.dirname(fs.realpathSync(own.loader));
  const found = new Set<string>();
  const queue = [...own.libraries];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const file = path.join(directory, name);
    if (found.has(file)) continue;
    const names = found.size < MOST_FILES && fs.existsSync(file) ? dynamicNames(file) : undefined;
    if (names === undefined) return undefined;
    found.add(file);
    queue.push(...names.libraries);
  }
  found.delete(fs.realpathSync(own.loader));
  return [own.loader, ...[...found].sort()];
}

const SEGMENT = { load: 1, dynamic: 2, loader: 3 };
const ENTRY = { end: 0, needed: 1, strings: 5 };

/** Reads the names out of a 64-bit little-endian ELF file; undefined when it is none or is damaged. */
function dynamicNames(file: string): DynamicNames | undefined {
  const bytes = fs.readFileSync(file);
  if (bytes.length < 64 || bytes.toString("latin1", 0, 6) !== "\x7fELF\x02\x01") return undefined;
  try {
    const segments = Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
      const at = Number(bytes.readBigUInt64LE(32)) + index * bytes.readUInt16LE(54);
      const word = (offset: number): number => Number(bytes.readBigUInt64LE(at + offset));
      return { type: bytes.readUInt32LE(at), offset: word(8), address: word(16), size: word(32) };
    });
    const textAt = (start: number): string => {
      const end = bytes.indexOf(0, start);
      return bytes.toString("latin1", start, end);
    };
    const interpreter = segments.find(({ type }) => type === SEGMENT.loader);
    const loader = interpreter === undefined ? undefined : textAt(interpreter.offset);
    const dynamic = segments.find(({ type }) => type === SEGMENT.dynamic);
    if (dynamic === undefined) return { loader, libraries: [] };
    const needed: number[] = [];
    let strings = 0;
    for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
      const tag = Number(bytes.readBigUInt64LE(at));
      const value = Number(bytes.readBigUInt64LE(at + 8));
      if (tag === ENTRY.end) break;
      if (tag === ENTRY.needed) needed.push(value);
      if (tag === ENTRY.strings) strings = value;
    }
    const holder = segments.find(
      ({ type, address, size }) => type === SEGMENT.load && strings >= address && strings < address + size,
    );
    if (holder === undefined) return { loader, libraries: [] };
    const table = strings - holder.address + holder.offset;
    return { loader, libraries: needed.map((offset) => path.basename(textAt(table + offset))) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
