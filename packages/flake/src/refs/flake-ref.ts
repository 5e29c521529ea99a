/** Flake references as they are typed on this machine: a path means the flake around it. */
import { basename, dirname, join } from "node:path";
import { inputFromUrl } from "@firn/fetch/inputs";
import { FirnError } from "@firn/formats";
import { existsSync, lstatSync, realpathSync } from "@firn/store/files";
import { type FlakeRef, parseReference, pathInput, type ReferenceContext, splitFragment } from "./reference.ts";

/** Options of reading a reference on this machine. */
export type FlakeRefContext = Omit<ReferenceContext, "findFlake">;

/** Parses a reference, which must have no fragment; a path is looked up on disk. Fails with `bad-flake-ref`, `not-found` or the scheme's errors. */
export function parseFlakeRef(text: string, context: FlakeRefContext = {}): FlakeRef {
  const [reference, fragment] = splitFragment(text);
  const ref = parseReference(reference, { ...context, findFlake: (path, query) => findFlake(path, query, context) });
  if (fragment === "") return ref;
  throw new FirnError("bad-flake-ref", `unexpected fragment '${fragment}' in flake reference '${text}'`);
}

/** Finds flake.nix in a directory or above it, and the Git repository around it, if any. */
function findFlake(path: string, query: ReadonlyMap<string, string>, context: FlakeRefContext): FlakeRef {
  if (!existsSync(path)) {
    throw new FirnError("not-found", `getting status of "${path}": No such file or directory`);
  }
  let root = realpathSync(path);
  if (!lstatSync(root).isDirectory() && basename(root) === "flake.nix") {
    context.warn?.(
      `Path "${root}" should point at the directory containing the 'flake.nix' file, not the file itself. Pretending that you meant "${dirname(root)}"`,
      "warn",
    );
    root = dirname(root);
  }
  if (!lstatSync(root).isDirectory()) {
    throw new FirnError("bad-flake-ref", `path "${path}" is not a flake (because it's not a directory)`);
  }
  if (!existsSync(join(root, "flake.nix")) && !query.has("dir")) {
    context.warn?.(`path "${root}" does not contain a 'flake.nix', searching up`, "info");
    const device = lstatSync(root).dev;
    for (;;) {
      if (existsSync(join(root, "flake.nix"))) break;
      if (existsSync(join(root, ".git"))) {
        throw new FirnError(
          "bad-flake-ref",
          `path "${root}" is not part of a flake (neither it nor its parent directories contain a 'flake.nix' file)`,
        );
      }
      if (lstatSync(root).dev !== device) {
        throw new FirnError(
          "bad-flake-ref",
          `unable to find a flake before encountering filesystem boundary at "${root}"`,
        );
      }
      root = dirname(root);
      if (root === "/") throw new FirnError("bad-flake-ref", "could not find a flake.nix file");
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
