/**
 * Inputs: a source tree named by attributes (`type`, `url`, `rev`, …). A scheme turns URLs into attributes and back. Attributes
 * and their names are those of flake.lock.
 */
import { FirnError, type FlakeAttributes, jsonNumber, parseHash, printJson } from "@firn/formats";
import type { Url } from "./url.ts";

/** The attributes of an input; `type` names its scheme. */
export type Input = FlakeAttributes;

/** A fetched tree. */
export interface FetchedTree {
  /** A valid store path. */
  readonly storePath: string;
  /** The input's attributes with everything that pins it (`rev`, `narHash`, `lastModified`, …). */
  readonly locked: Input;
}

/** A tree where it lies on this machine, before it is in the store. */
export interface LocalTree {
  /** The absolute path of its root. */
  readonly directory: string;
  /** The tree's name in the store. */
  readonly name: string;
  /** The files that belong to it, relative to the root, and so do the directories above them; everything when absent. */
  readonly only?: ReadonlySet<string>;
  /** The time in milliseconds since 1970 at which it was looked at. */
  readonly since: number;
  /** True when `locked` tells what the files contain: they are those of a revision. */
  readonly isRevision: boolean;
  /** The input's attributes with everything that pins it and is known without reading the files. */
  readonly locked: Input;
  /** Copies the tree into the store. Fails as fetching does. */
  store(): Promise<FetchedTree>;
}

/** The schemes, by the value of the attribute `type`. */
export type InputType = "path" | "indirect" | "git" | "hg" | "github" | "gitlab" | "sourcehut" | "tarball" | "file";

/** The URL and attribute forms of one scheme's inputs. */
export interface InputScheme {
  readonly type: InputType;
  /** Attributes that may be given besides `type`. */
  readonly attributes: readonly string[];
  /** Returns the attributes of a URL of this scheme, or undefined when it belongs to another. */
  fromUrl(url: Url, requireTree: boolean): Input | undefined;
  /** Fails when attributes are missing or wrong. */
  check(input: Input): void;
  toUrl(input: Input): Url;
  /** Tells whether fetching always gives the same tree; narHash alone is not enough for schemes with revisions. */
  isLocked(input: Input): boolean;
}

/** Returns a string attribute, or undefined; fails with `bad-input` when it has another type. */
export function stringAttribute(input: Input, name: string): string | undefined {
  const value = input.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== "string") {
    throw new FirnError("bad-input", `input attribute '${name}' is not a string ${showAttributes(input)}`);
  }
  return value;
}

/** Returns the attributes of an input as messages show them: JSON, sorted by name. */
export function showAttributes(input: Input): string {
  const sorted = [...input].sort(([a], [b]) => (a < b ? -1 : 1));
  return printJson(
    new Map(sorted.map(([name, value]) => [name, typeof value === "bigint" ? jsonNumber(value) : value])),
  );
}

/** Returns a string attribute; fails when it is missing. */
export function requireString(input: Input, name: string): string {
  const value = stringAttribute(input, name);
  if (value === undefined) throw new FirnError("bad-input", `input attribute '${name}' is missing`);
  return value;
}

/** Returns the tree's name in the store. */
export function nameOf(input: Input): string {
  return stringAttribute(input, "name") ?? "source";
}

/** Returns a boolean attribute; absent is false. */
export function booleanAttribute(input: Input, name: string): boolean {
  const value = input.get(name);
  if (value !== undefined && typeof value !== "boolean") {
    throw new FirnError("bad-input", `input attribute '${name}' is not a Boolean`);
  }
  return value === true;
}

/** Returns an integer attribute, or undefined. */
export function integerAttribute(input: Input, name: string): bigint | undefined {
  const value = input.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== "bigint") throw new FirnError("bad-input", `input attribute '${name}' is not an integer`);
  return value;
}

/** Returns a copy with attributes set, or removed where the value is undefined. */
export function withAttributes(input: Input, changes: Record<string, string | bigint | boolean | undefined>): Input {
  const result = new Map(input);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) result.delete(name);
    else result.set(name, value);
  }
  return result;
}

/** Tells whether two inputs have the same attributes. */
export function sameInput(a: Input, b: Input): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}

const revPattern = /^[0-9a-f]{40}$/;
const rev64Pattern = /^[0-9a-f]{64}$/;

/** Tells whether a text is a Git revision in base 16. */
export function isRevision(text: string): boolean {
  return revPattern.test(text) || rev64Pattern.test(text);
}

/** Fails with `bad-hash` or `bad-input` unless a text is a Git revision in base 16. */
export function checkRevision(text: string): void {
  if (isRevision(text)) return;
  parseHash(text, text.length === 64 ? "sha256" : "sha1");
  throw new FirnError("bad-input", `'${text}' is not a commit hash`);
}

/** Tells whether a text may name a branch or tag, by the rules of `git check-ref-format` and of the reference. */
export function isRef(text: string): boolean {
  return !/^$|^@$|^[-/]|[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|[/.]$|(?:^|\/)\.|\.lock(?:\/|$)/.test(text);
}

/**
 * Checks that a text is a branch or tag name that is safe to pass to a program, by the rules of `git check-ref-format` and of the
 * reference; fails otherwise.
 */
export function checkRef(ref: string, kind: "Git" | "Mercurial" = "Git"): void {
  const legal =
    kind === "Git"
      ? isRef(ref)
      : /^[a-zA-Z0-9@][a-zA-Z0-9_./@+-]*$/.test(ref) && !ref.includes("..") && !ref.endsWith(".lock");
  if (!legal) throw new FirnError("bad-url", `invalid ${kind} branch/tag name '${ref}'`);
}
