/** Flake references: an input and a directory in it, written as a URL, a path or a registry name (manual: "Flake references"). */

import { basename, dirname, join, resolve } from "node:path";
import {
  type Input,
  indirectInput,
  inputFromAttributes,
  inputFromUrl,
  inputToUrl,
  parseUrl,
  percentDecode,
  printUrl,
  stringAttribute,
  withAttributes,
} from "@firn/fetch";
import { FirnError, type FlakeAttributes } from "@firn/formats";
import { existsSync, lstatSync, realpathSync } from "@firn/store/files";

/** A flake: the tree that holds it and the directory of its flake.nix in that tree. */
export interface FlakeRef {
  readonly input: Input;
  /** Relative to the tree, "" for its root. */
  readonly dir: string;
}

/** How to read a reference. */
export interface FlakeRefContext {
  /** A directory is taken as it is given, whether or not it has a flake.nix. */
  readonly exact?: boolean;
  /** What relative paths are relative to; without it they are an error. */
  readonly baseDirectory?: string;
  /** False for inputs with `flake = false`: then no flake.nix is looked for. */
  readonly isFlake?: boolean;
  /** `path:./x` and `./x` stay relative: inputs of a flake that lie in its own tree. */
  readonly keepRelative?: boolean;
  warn?(text: string): void;
}

const idPattern = /^([a-zA-Z][a-zA-Z0-9_-]*)(?:\/([a-zA-Z0-9@][a-zA-Z0-9_.@+-]*))?(?:\/([0-9a-f]{40}))?$/;

/** Splits `reference#fragment`; the fragment is decoded and empty when there is none. */
export function splitFragment(text: string): [reference: string, fragment: string] {
  const hash = text.indexOf("#");
  return hash < 0 ? [text, ""] : [text.slice(0, hash), percentDecode(text.slice(hash + 1))];
}

/** Parses a reference without fragment. Fails with `bad-flake-ref`, `not-found` or the scheme's errors. */
export function parseFlakeRef(text: string, context: FlakeRefContext = {}): FlakeRef {
  const id = idPattern.exec(text);
  if (id?.[1] !== undefined) return { input: indirectInput(id[1], id[2], id[3]), dir: "" };
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text)) {
    try {
      return fromUrl(text, context);
    } catch (error) {
      // A URL that its scheme cannot read is taken for a path, as in the reference; as an absolute one it never exists.
      if (!(error instanceof FirnError && error.code === "bad-forge-url") || context.baseDirectory !== undefined)
        throw error;
    }
  }
  return fromPath(text, context);
}

function fromUrl(text: string, context: FlakeRefContext): FlakeRef {
  const url = parseUrl(text);
  const query = new Map(url.query);
  const dir = query.get("dir") ?? "";
  query.delete("dir");
  if (url.scheme === "path" && !url.path.startsWith("/") && context.keepRelative !== true) {
    if (context.baseDirectory === undefined) {
      throw new FirnError("bad-flake-ref", `flake reference '${text}' is not an absolute path`);
    }
    const input = inputFromUrl(
      { ...url, query, path: resolve(context.baseDirectory, url.path) },
      context.isFlake !== false,
    );
    return { input, dir };
  }
  return { input: inputFromUrl({ ...url, query, fragment: "" }, context.isFlake !== false), dir };
}

function fromPath(text: string, context: FlakeRefContext): FlakeRef {
  const question = text.indexOf("?");
  const query = question < 0 ? new Map<string, string>() : parseUrl(`path:${text.slice(question)}`).query;
  const written = percentDecode(question < 0 ? text : text.slice(0, question));
  if (context.keepRelative === true && !written.startsWith("/")) {
    return { input: pathInput(written, query), dir: query.get("dir") ?? "" };
  }
  if (context.baseDirectory === undefined) {
    if (!written.startsWith("/")) {
      throw new FirnError("bad-flake-ref", `flake reference '${text}' is not an absolute path`);
    }
    return { input: pathInput(written, query), dir: query.get("dir") ?? "" };
  }
  const path = resolve(context.baseDirectory, written);
  if (context.isFlake === false) return { input: pathInput(path, query), dir: query.get("dir") ?? "" };
  return findFlake(path, query, context);
}

function pathInput(path: string, query: ReadonlyMap<string, string>): Input {
  const rest = new Map(query);
  rest.delete("dir");
  return inputFromUrl({ scheme: "path", authority: undefined, path, query: rest, fragment: "" }, true);
}

/** Finds flake.nix in a directory or above it, and the Git repository around it, if any. */
function findFlake(path: string, query: ReadonlyMap<string, string>, context: FlakeRefContext): FlakeRef {
  if (!existsSync(path)) {
    const text = `path '${path}' does not exist`;
    throw new FirnError(
      "not-found",
      context.exact === true ? `getting status of "${path}": No such file or directory` : text,
    );
  }
  let root = realpathSync(path);
  if (!lstatSync(root).isDirectory()) {
    if (basename(root) === "flake.nix") {
      throw new FirnError("bad-flake-ref", `path '${path}' is not a flake (because it's not a directory)`, {
        hint: `try '${dirname(path)}' instead`,
      });
    }
    throw new FirnError("bad-flake-ref", `path '${path}' is not a flake (because it's not a directory)`);
  }
  if (context.exact !== true && !existsSync(join(root, "flake.nix")) && !query.has("dir")) {
    context.warn?.(`path '${root}' does not contain a 'flake.nix', searching up`);
    const start = root;
    const device = lstatSync(root).dev;
    for (;;) {
      if (existsSync(join(root, "flake.nix"))) break;
      if (existsSync(join(root, ".git"))) {
        throw new FirnError(
          "bad-flake-ref",
          `path '${start}' is not part of a flake (neither it nor its parent directories contain a 'flake.nix' file)`,
        );
      }
      const parent = dirname(root);
      if (parent === root || lstatSync(parent).dev !== device) {
        throw new FirnError("bad-flake-ref", "could not find a flake.nix file");
      }
      root = parent;
    }
  }
  let subdirectory = "";
  for (let repository = root; ; repository = dirname(repository)) {
    if (existsSync(join(repository, ".git"))) {
      const rest = new Map(query);
      const wanted = rest.get("dir");
      rest.delete("dir");
      const dir = [subdirectory, wanted ?? ""].filter((part) => part !== "").join("/");
      if (existsSync(join(repository, ".git/shallow"))) rest.set("shallow", "1");
      const input = inputFromUrl(
        { scheme: "git+file", authority: "", path: repository, query: rest, fragment: "" },
        true,
      );
      return { input, dir };
    }
    const parent = dirname(repository);
    if (parent === repository) break;
    subdirectory = subdirectory === "" ? basename(repository) : `${basename(repository)}/${subdirectory}`;
  }
  return { input: pathInput(root, query), dir: query.get("dir") ?? "" };
}

/** The reference of attributes as flake.nix and flake.lock have them: the input's, and `dir`. */
export function flakeRefFromAttributes(attributes: FlakeAttributes): FlakeRef {
  return {
    input: inputFromAttributes(withAttributes(attributes, { dir: undefined })),
    dir: stringAttribute(attributes, "dir") ?? "",
  };
}

/** Its attributes, `dir` among them when it has one. */
export function flakeRefToAttributes(ref: FlakeRef): FlakeAttributes {
  return ref.dir === "" ? ref.input : withAttributes(ref.input, { dir: ref.dir });
}

/** Its URL. */
export function showFlakeRef(ref: FlakeRef): string {
  const url = inputToUrl(ref.input);
  if (ref.dir === "") return printUrl(url);
  return printUrl({ ...url, query: new Map([...url.query, ["dir", ref.dir]]) });
}

/** Whether two references have the same attributes. */
export function sameFlakeRef(a: FlakeRef, b: FlakeRef): boolean {
  return (
    a.dir === b.dir &&
    a.input.size === b.input.size &&
    [...a.input].every(([name, value]) => b.input.get(name) === value)
  );
}

/** The relative path of an input that lies in its parent's tree; undefined for all others. */
export function relativePathOf(ref: FlakeRef): string | undefined {
  if (ref.input.get("type") !== "path") return undefined;
  const path = stringAttribute(ref.input, "path") ?? "";
  return path.startsWith("/") ? undefined : path;
}
