/** Inputs as a whole: from URLs and attributes, back to URLs, and fetched with their promises checked. */
import { FirnError, makeFixedOutputPath, parseHash, printHash } from "@firn/formats";
import type { FetchContext } from "./context.ts";
import { type FetchedTree, type Input, nameOf, requireString, type Scheme, stringAttribute } from "./input.ts";
import { forgeSchemes } from "./schemes/forge.ts";
import { gitScheme } from "./schemes/git.ts";
import { indirectScheme } from "./schemes/indirect.ts";
import { mercurialScheme } from "./schemes/mercurial.ts";
import { pathScheme } from "./schemes/path.ts";
import { fileScheme, tarballScheme } from "./schemes/tarball.ts";
import { parseUrl, printUrl, type Url } from "./url.ts";

const schemes: readonly Scheme[] = [
  pathScheme,
  indirectScheme,
  gitScheme,
  mercurialScheme,
  ...forgeSchemes,
  tarballScheme,
  fileScheme,
];

/** The scheme of an input's `type`; fails with `bad-input` when nobody knows it. */
export function schemeOf(input: Input): Scheme {
  const type = requireString(input, "type");
  const scheme = schemes.find((candidate) => candidate.type === type);
  if (scheme === undefined) throw new FirnError("bad-input", `input type '${type}' is not supported`);
  return scheme;
}

/** The input that a URL means. `requireTree`: a plain URL is an archive whatever it is called. */
export function inputFromUrl(url: Url | string, requireTree: boolean): Input {
  const parsed = typeof url === "string" ? parseUrl(url) : url;
  for (const scheme of schemes) {
    const input = scheme.fromUrl(parsed, requireTree);
    if (input !== undefined) {
      scheme.check(input);
      return input;
    }
  }
  throw new FirnError("bad-input", `input '${printUrl(parsed)}' is unsupported`);
}

/** Checks attributes against their scheme and returns them. */
export function inputFromAttributes(attributes: Input): Input {
  const scheme = schemeOf(attributes);
  for (const name of attributes.keys()) {
    if (name !== "type" && name !== "__final" && !scheme.attributes.includes(name)) {
      throw new FirnError("bad-input", `input attribute '${name}' not supported by scheme '${scheme.type}'`);
    }
  }
  scheme.check(attributes);
  return attributes;
}

/** The URL form of an input. */
export function inputToUrl(input: Input): Url {
  return schemeOf(input).toUrl(input);
}

/** The URL text of an input. */
export function showInput(input: Input): string {
  return printUrl(inputToUrl(input));
}

/** Whether fetching this input gives the same tree for ever. */
export function isLockedInput(input: Input): boolean {
  return schemeOf(input).isLocked(input);
}

/** What can be said before anything is fetched: `file:` URLs name absolute paths. */
export function checkFetchable(input: Input): void {
  const url = stringAttribute(input, "url");
  if (url === undefined || !url.startsWith("file:") || parseUrl(url).path.startsWith("/")) return;
  throw new FirnError(
    "bad-input",
    `tarball '${url}' must use an absolute path. The 'file' scheme does not support relative paths.`,
    { trace: [{ message: `while fetching the input '${showInput(input)}'` }] },
  );
}

/**
 * Fetches an input into the store. When it promises a NAR hash, a valid path of that content is taken without fetching,
 * and content that differs is an error (`hash-mismatch`).
 */
export async function fetchInput(input: Input, context: FetchContext): Promise<FetchedTree> {
  const scheme = schemeOf(input);
  const promised = stringAttribute(input, "narHash");
  if (promised !== undefined && scheme.isLocked(input)) {
    const known = await validTree(input, promised, context);
    if (known !== undefined) return { storePath: known, locked: input };
  }
  checkFetchable(input);
  const tree = await scheme.fetch(input, context);
  const got = stringAttribute(tree.locked, "narHash");
  if (promised !== undefined && got !== undefined && sri(promised) !== sri(got)) {
    throw new FirnError(
      "hash-mismatch",
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

function sri(text: string): string {
  return printHash(parseHash(text, "sha256"), "sri");
}

async function validTree(input: Input, narHash: string, context: FetchContext): Promise<string | undefined> {
  const hash = parseHash(narHash, "sha256");
  const path = makeFixedOutputPath({ method: "nar", hash }, { name: nameOf(input), storeDir: context.store.storeDir });
  return (await context.store.narHashOf(path)) === undefined ? undefined : path;
}
