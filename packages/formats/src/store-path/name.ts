/** Store path grammar: `<store>/<32 nix32 characters>-<name>`. Errors in the reference's words. */
import { FirnError } from "../base/error.ts";
import { isNix32 } from "../hash/encoding.ts";

/** The store directory unless a store says otherwise. */
export const defaultStoreDir = "/nix/store";
/** Length limit of the name after the dash. */
export const maxNameLength = 211;
/** Number of characters of the hash part. */
export const hashPartLength = 32;

const LEGAL = /^[0-9a-zA-Z+\-._?=]*$/;

/** Throws `bad-store-path-name` unless `name` may follow the dash of a store path. */
export function checkStorePathName(name: string): void {
  const bad = (message: string): FirnError => new FirnError("bad-store-path-name", message);
  if (name.length === 0) throw bad("name must not be empty");
  if (name.length > maxNameLength) throw bad(`name '${name}' must be no longer than ${maxNameLength} characters`);
  if (name === "." || name === "..") throw bad(`name '${name}' is not valid`);
  if (name.startsWith(".-") || name.startsWith("..-")) {
    const dots = name.slice(0, name.indexOf("-"));
    throw bad(`name '${name}' is not valid: first dash-separated component must not be '${dots}'`);
  }
  if (LEGAL.test(name)) return;
  for (const character of name) {
    if (!LEGAL.test(character)) throw bad(`name '${name}' contains illegal character '${character}'`);
  }
}

/** Throws `bad-store-path` unless `baseName` is `<hash>-<name>`. */
export function checkStorePathBaseName(baseName: string): void {
  if (baseName.length < hashPartLength + 1) {
    throw new FirnError("bad-store-path", `'${baseName}' is too short to be a valid store path`);
  }
  const hashPart = baseName.slice(0, hashPartLength);
  if (!isNix32(hashPart)) {
    const culprit = [...hashPart].find((character) => !isNix32(character));
    throw new FirnError("bad-store-path", `store path '${baseName}' contains illegal base-32 character '${culprit}'`);
  }
  try {
    checkStorePathName(baseName.slice(hashPartLength + 1));
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    throw new FirnError("bad-store-path", `path '${baseName}' is not a valid store path: ${error.message}`);
  }
}

const uncanonical = /\/(?:\/|\.\.?(?:\/|$)|$)/;

/** Folds `.`, `..` and repeated slashes of an absolute path without looking at the file system; `..` at the root stays there. */
export function canonicalPath(path: string): string {
  if (path.length > 1 && path.charCodeAt(0) === 47 && !uncanonical.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Returns the full store path that `text` names; error `bad-store-path` when it is not directly in `storeDir` or malformed. */
export function parseStorePath(text: string, storeDir: string = defaultStoreDir): string {
  if (!text.startsWith("/")) throw new FirnError("bad-store-path", `not an absolute path: "${text}"`);
  const path = canonicalPath(text);
  const slash = path.lastIndexOf("/");
  if (path.slice(0, slash) !== storeDir)
    throw new FirnError("bad-store-path", `path "${path}" is not in the Nix store`);
  checkStorePathBaseName(path.slice(slash + 1));
  return path;
}

/** Tells whether `text` is a store path of `storeDir`. */
export function isStorePath(text: string, storeDir: string = defaultStoreDir): boolean {
  try {
    parseStorePath(text, storeDir);
    return true;
  } catch (error) {
    if (error instanceof FirnError) return false;
    throw error;
  }
}

/** Splits a path inside the store into its store path and the rest (`""` or `/sub/path`); error `not-in-store`. */
export function splitStorePath(path: string, storeDir: string = defaultStoreDir): { storePath: string; rest: string } {
  const folded = canonicalPath(path);
  if (!folded.startsWith(`${storeDir}/`))
    throw new FirnError("not-in-store", `path "${folded}" is not in the Nix store`);
  const slash = folded.indexOf("/", storeDir.length + 1);
  const storePath = slash < 0 ? folded : folded.slice(0, slash);
  return { storePath: parseStorePath(storePath, storeDir), rest: slash < 0 ? "" : folded.slice(slash) };
}

/** Returns `<hash>-<name>` of a store path. */
export function storePathBaseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Returns the hash part of a store path, the 32 characters before the dash. */
export function storePathHashPart(path: string): string {
  const start = path.lastIndexOf("/") + 1;
  return path.slice(start, start + hashPartLength);
}

/** Returns the name of a store path, the text after the dash. */
export function storePathName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1 + hashPartLength + 1);
}

/** Tells whether a store path names a derivation. */
export function isDerivationPath(path: string): boolean {
  return path.endsWith(".drv");
}
