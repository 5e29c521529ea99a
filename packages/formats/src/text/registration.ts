/** Facts about paths as `nix-store --dump-db`, `--load-db` and `--register-validity` exchange them: lines, one path after the other. */
import { FirnError } from "../base/error.ts";
import { type Hash, parseHash, printHash } from "../hash/hash.ts";
import type { PathInfo } from "../narinfo/path-info.ts";
import { parseStorePath } from "../store-path/name.ts";

/** A registration of a path; without hash and size when the file to register was not hashed yet. */
export interface Registration {
  readonly path: string;
  readonly narHash?: Hash;
  readonly narSize?: number;
  readonly deriver?: string;
  /** References, sorted. */
  readonly references: readonly string[];
}

/** Returns the lines of a path, with hash and size. */
export function printRegistration(info: PathInfo): string {
  const { path, narHash, narSize, deriver, references } = info;
  const lines = [path, printHash(narHash, "base16", false), String(narSize), deriver ?? "", String(references.length)];
  return [...lines, ...references, ""].join("\n");
}

/**
 * Reads registrations up to the end of the text. `hashed` tells whether hash and size stand in them. Errors `bad-registration`,
 * `bad-store-path`, `bad-hash`.
 */
export function parseRegistrations(
  text: string,
  options: { readonly hashed: boolean; readonly storeDir: string },
): Registration[] {
  const { hashed, storeDir } = options;
  const lines = text.split("\n");
  let at = 0;
  const line = (): string => lines[at++] ?? "";
  const number = (what: string): number => {
    const digits = line();
    if (!/^[0-9]{1,15}$/.test(digits)) throw new FirnError("bad-registration", `${what} expected`);
    return Number(digits);
  };
  const result: Registration[] = [];
  for (let path = line(); path !== ""; path = line()) {
    const facts = hashed ? { narHash: parseHash(line(), "sha256"), narSize: number("size") } : {};
    const given = line();
    const deriver = given === "" ? {} : { deriver: parseStorePath(given, storeDir) };
    const count = number("number");
    if (count > lines.length - at) throw new FirnError("bad-registration", "number of references is too large");
    const references = lines.slice(at, at + count).map((reference) => parseStorePath(reference, storeDir));
    at += count;
    result.push({
      path: parseStorePath(path, storeDir),
      ...facts,
      ...deriver,
      references: [...new Set(references)].sort(),
    });
  }
  return result;
}
