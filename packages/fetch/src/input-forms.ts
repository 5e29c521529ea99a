/** Inputs of every scheme: from URLs and attributes, and back to URLs. */
import { FirnError } from "@firn/formats";
import { type Input, type InputScheme, showAttributes, stringAttribute } from "./input.ts";
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

/** Returns the scheme of an input's `type`; fails with `bad-input` for an unknown one. */
export function schemeOf(input: Input): InputScheme {
  const type = stringAttribute(input, "type");
  if (type === undefined) {
    throw new FirnError("bad-input", "'type' attribute to specify input scheme is required but not provided");
  }
  const scheme = schemes.find((candidate) => candidate.type === type);
  if (scheme === undefined)
    throw new FirnError("bad-input", `cannot show unsupported input '${showAttributes(input)}'`);
  return scheme;
}

/** Returns the input of a URL. With `requireTree` a plain URL is an archive whatever its name. */
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

/** Returns the URL form of an input. */
export function inputToUrl(input: Input): Url {
  return schemeOf(input).toUrl(input);
}

/** Returns the URL of an input as text. */
export function showInput(input: Input): string {
  return printUrl(inputToUrl(input));
}

/** Tells whether fetching this input always gives the same tree. */
export function isLockedInput(input: Input): boolean {
  return schemeOf(input).isLocked(input);
}

/** Returns the attributes that the scheme of an input knows besides `type`. */
export function attributesOfInput(input: Input): readonly string[] {
  return schemeOf(input).attributes;
}

/** Checks an input before it is fetched: `file:` URLs must name absolute paths, but for repositories of Git beside the working directory. */
export function checkFetchable(input: Input): void {
  const url = stringAttribute(input, "url");
  if (input.get("type") === "git") return;
  if (url === undefined || !url.startsWith("file:") || parseUrl(url).path.startsWith("/")) return;
  throw new FirnError(
    "bad-input",
    `tarball '${url}' must use an absolute path. The 'file' scheme does not support relative paths.`,
    { trace: [{ message: `while fetching the input '${showInput(input)}'` }] },
  );
}
