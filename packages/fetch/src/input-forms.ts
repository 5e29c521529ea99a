/** Inputs of every scheme: from URLs and attributes, and back to URLs. */
import { FirnError } from "@firn/formats";
import { type Input, type InputScheme, requireString, stringAttribute } from "./input.ts";
import { forgeInputs } from "./schemes/forge-input.ts";
import { gitInputs } from "./schemes/git-input.ts";
import { indirectInputs } from "./schemes/indirect.ts";
import { mercurialInputs } from "./schemes/mercurial-input.ts";
import { pathInputs } from "./schemes/path-input.ts";
import { fileInputs, tarballInputs } from "./schemes/tarball-input.ts";
import { parseUrl, printUrl, type Url } from "./url.ts";

const schemes: readonly InputScheme[] = [
  pathInputs,
  indirectInputs,
  gitInputs,
  mercurialInputs,
  forgeInputs("github"),
  forgeInputs("gitlab"),
  forgeInputs("sourcehut"),
  tarballInputs,
  fileInputs,
];

/** The scheme of an input's `type`; fails with `bad-input` when nobody knows it. */
export function schemeOf(input: Input): InputScheme {
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
