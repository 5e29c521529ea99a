/** Fetches inputs of every scheme and checks their NAR hashes. */
import { FirnError, type Hash, makeFixedOutputPath, parseSriHash, printHash, traced } from "@firn/formats";
import type { FetchContext } from "./context.ts";
import {
  checkRevision,
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
 * Fetches an input into the store. When it has a NAR hash and is locked or an entry of a lock file (`isFinal`), a valid path of that content is used
 * without fetching; different content is an error (`hash-mismatch`).
 */
export async function fetchInput(
  input: Input,
  context: FetchContext,
  { isFinal = false }: { readonly isFinal?: boolean } = {},
): Promise<FetchedTree> {
  const scheme = schemeOf(input);
  const promised = await tracedFetch(input, promisedHash(input));
  if (promised !== undefined && (isFinal || scheme.isLocked(input))) {
    const known = await validTree(input, promised, context);
    if (known !== undefined) return { storePath: known, locked: input };
  }
  checkFetchable(input);
  const tree = await tracedFetch(input, fetchers[scheme.type](input, context));
  const got = stringAttribute(tree.locked, "narHash");
  if (promised !== undefined && got !== undefined) checkNarHash(input, printHash(promised, "sri"), got);
  for (const name of ["lastModified", "rev", "revCount"]) {
    const wanted = input.get(name);
    const have = tree.locked.get(name);
    if (wanted !== undefined && have !== undefined && wanted !== have) {
      const got = name === "lastModified" ? `, got ${have}` : "";
      const text = `'${name}' attribute mismatch in input '${showInput(tree.locked)}', expected ${wanted}${got}`;
      throw traced(new FirnError("input-mismatch", text), whileFetching(input));
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
    throw traced(error, whileFetching(input));
  }
}

function whileFetching(input: Input): string {
  return `while fetching the input '${showInput(input)}'`;
}

/** Returns the hash that an input promises of its NAR, all zeros for an empty text; checks its revision. Fails with `bad-hash` and `usage`. */
async function promisedHash(input: Input): Promise<Hash | undefined> {
  const rev = stringAttribute(input, "rev");
  if (rev !== undefined) checkRevision(rev);
  const text = stringAttribute(input, "narHash");
  if (text === undefined) return undefined;
  if (text === "") return { algorithm: "sha256", bytes: new Uint8Array(32) };
  const hash = parseSriHash(text);
  if (hash.algorithm !== "sha256") throw new FirnError("usage", "narHash must use SHA-256");
  return hash;
}

/**
 * Fails with `input-mismatch` for content that was not promised. The reference hashes archives and files while it fetches them, all others
 * afterwards, and then tells the two hashes the other way round.
 */
function checkNarHash(input: Input, promised: string, got: string): void {
  if (promised === got) return;
  const type = stringAttribute(input, "type");
  const early = type === "tarball" || type === "file";
  const [first, second] = early ? [promised, got] : [got, promised];
  const error = new FirnError(
    "input-mismatch",
    `NAR hash mismatch in input '${showInput(input)}', expected '${first}' but got '${second}'`,
    { exitStatus: 102 },
  );
  throw early ? traced(error, whileFetching(input)) : error;
}

async function validTree(input: Input, hash: Hash, context: FetchContext): Promise<string | undefined> {
  const path = makeFixedOutputPath({ method: "nar", hash }, { name: nameOf(input), storeDir: context.store.storeDir });
  return (await context.store.narHashOf(path)) === undefined ? undefined : path;
}
