/** Flake references as they are typed on this machine: a path means the flake around it. */
import { basename, dirname, join } from "node:path";
import { inputFromUrl } from "@firn/fetch/inputs";
import { FirnError } from "@firn/formats";
import { existsSync, lstatSync, realpathSync } from "@firn/store/files";
import { type FlakeRef, parseReference, pathInput, type ReferenceContext } from "./reference.ts";

/** Options of reading a reference on this machine. */
export interface FlakeRefContext extends Omit<ReferenceContext, "findFlake"> {
  warn?(text: string): void;
}

/** Parses a reference without fragment; a path is looked up on disk. Fails with `bad-flake-ref`, `not-found` or the scheme's errors. */
export function parseFlakeRef(text: string, context: FlakeRefContext = {}): FlakeRef {
  return parseReference(text, { ...context, findFlake: (path, query) => findFlake(path, query, context) });
}

/** Finds flake.nix in a directory or above it, and the Git repository around it, if any. */
function findFlake(path: string, query: ReadonlyMap<string, string>, context: FlakeRefContext): FlakeRef {
  if (!existsSync(path)) throw new FirnError("not-found", `path '${path}' does not exist`);
  let root = realpathSync(path);
  if (!lstatSync(root).isDirectory()) {
    if (basename(root) === "flake.nix") {
      throw new FirnError("bad-flake-ref", `path '${path}' is not a flake (because it's not a directory)`, {
        hint: `try '${dirname(path)}' instead`,
      });
    }
    throw new FirnError("bad-flake-ref", `path '${path}' is not a flake (because it's not a directory)`);
  }
  if (!existsSync(join(root, "flake.nix")) && !query.has("dir")) {
    context.warn?.(`path "${root}" does not contain a 'flake.nix', searching up`);
    const start = root;
    const device = lstatSync(root).dev;
    for (;;) {
      if (existsSync(join(root, "flake.nix"))) break;
      if (existsSync(join(root, ".git"))) {
        throw new FirnError(
          "bad-flake-ref",
          `path "${start}" is not part of a flake (neither it nor its parent directories contain a 'flake.nix' file)`,
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
