/** Fetches inputs of every scheme and checks their NAR hashes. */
import { FirnError, makeFixedOutputPath, parseHash, printHash, traced } from "@firn/formats";
import type { FetchContext } from "./context.ts";
import {
  type FetchedTree,
  type Input,
  type InputType,
  type LocalTree,
  nameOf,
  requireString,
  stringAttribute,
} from "./input.ts";
import { checkFetchable, schemeOf, showInput } from "./input-forms.ts";
import { fetchFromForge } from "./schemes/forge.ts";
import { fetchGit, locateGit } from "./schemes/git.ts";
import { fetchMercurial } from "./schemes/mercurial.ts";
import { fetchPath, locatePath } from "./schemes/path.ts";
import { fetchSingleFile, fetchTarball } from "./schemes/tarball.ts";

const fetchers: Readonly<Record<InputType, (input: Input, context: FetchContext) => Promise<FetchedTree>>> = {
  path: fetchPath,
  git: fetchGit,
  hg: fetchMercurial,
  github: (input, context) => fetchFromForge("github", input, context),
  gitlab: (input, context) => fetchFromForge("gitlab", input, context),
  sourcehut: (input, context) => fetchFromForge("sourcehut", input, context),
  tarball: fetchTarball,
  file: fetchSingleFile,
  async indirect(input) {
    throw new FirnError("indirect", `indirect input 'flake:${requireString(input, "id")}' cannot be fetched directly`);
  },
};

/**
 * Fetches an input into the store. When it has a NAR hash, a valid path of that content is used without fetching, and
 * different content is an error (`hash-mismatch`).
 */
export async function fetchInput(input: Input, context: FetchContext): Promise<FetchedTree> {
  const scheme = schemeOf(input);
  const promised = stringAttribute(input, "narHash");
  if (promised !== undefined && scheme.isLocked(input)) {
    const known = await validTree(input, promised, context);
    if (known !== undefined) return { storePath: known, locked: input };
  }
  checkFetchable(input);
  const tree = await tracedFetch(input, fetchers[scheme.type](input, context));
  const got = stringAttribute(tree.locked, "narHash");
  if (promised !== undefined && got !== undefined && sri(promised) !== sri(got)) {
    throw new FirnError(
      "input-mismatch",
      `NAR hash mismatch in input '${showInput(input)}', expected '${promised}' but got '${got}'`,
      { exitStatus: 102 },
    );
  }
  for (const name of ["rev", "lastModified", "revCount"]) {
    const wanted = input.get(name);
    const have = tree.locked.get(name);
    if (wanted !== undefined && have !== undefined && wanted !== have) {
      throw new FirnError(
        "input-mismatch",
        `'${name}' attribute mismatch in input '${showInput(input)}', expected ${wanted}, got ${have}`,
      );
    }
  }
  return tree;
}

/** Attributes of an input that are compared with what is fetched. */
const compared = ["narHash", "rev", "lastModified", "revCount"];

/**
 * Does the work of `fetchInput`, but for a tree that can be read where it lies: a directory or a work tree of this machine that the input
 * promises nothing about.
 */
export async function locateInput(input: Input, context: FetchContext): Promise<FetchedTree | LocalTree> {
  const { type } = schemeOf(input);
  if (compared.some((name) => input.has(name)) || (type !== "path" && type !== "git"))
    return fetchInput(input, context);
  checkFetchable(input);
  const located = type === "git" ? locateGit(input, context) : locatePath(input, context);
  const tree = await tracedFetch(input, located);
  if (!("store" in tree)) return tree;
  return { ...tree, store: () => tracedFetch(input, tree.store()) };
}

async function tracedFetch<Tree>(input: Input, tree: Promise<Tree>): Promise<Tree> {
  try {
    return await tree;
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    throw traced(error, `while fetching the input '${showInput(input)}'`);
  }
}

function sri(text: string): string {
  return printHash(parseHash(text, "sha256"), "sri");
}

async function validTree(input: Input, narHash: string, context: FetchContext): Promise<string | undefined> {
  const hash = parseHash(narHash, "sha256");
  const path = makeFixedOutputPath({ method: "nar", hash }, { name: nameOf(input), storeDir: context.store.storeDir });
  return (await context.store.narHashOf(path)) === undefined ? undefined : path;
}
