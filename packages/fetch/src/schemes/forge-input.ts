/** The forms of inputs that are repositories of a forge. */
import { FirnError } from "@firn/formats";
import {
  checkRevision,
  type InputScheme,
  isRef,
  isRevision,
  requireString,
  showAttributes,
  stringAttribute,
} from "../input.ts";
import { percentDecode, percentEncode, printUrl, type Url } from "../url.ts";

const hostPattern = /^[a-zA-Z0-9.:-]+$/;
const ownerCharacters = "!$&'()*+,;=:@";

/** A forge by the scheme of its URLs. */
export type ForgeType = "github" | "gitlab" | "sourcehut";

/** Makes the scheme of a forge's repositories: `github:`, `gitlab:`, `sourcehut:`. */
export function forgeInputs(type: ForgeType): InputScheme {
  return {
    type,
    attributes: ["owner", "repo", "ref", "rev", "narHash", "lastModified", "host", "treeHash"],

    fromUrl(url) {
      if (url.scheme !== type) return undefined;
      const shown = printUrl(url);
      const written = (url.encodedPath ?? url.path).split("/").filter((part) => part !== "");
      const [owner, repo, ...rest] = url.encodedPath === undefined ? written : written.map(percentDecode);
      if (owner === undefined || repo === undefined) throw new FirnError("bad-url", `URL '${shown}' is invalid`);
      const input = new Map<string, string>([
        ["type", type],
        ["owner", owner],
        ["repo", repo],
      ]);
      const refOrRev = rest.join("/");
      if (refOrRev !== "") input.set(isRevision(refOrRev) ? "rev" : "ref", refOrRev);
      for (const [name, value] of url.query) {
        if (name === "rev" || name === "ref") {
          if (input.has(name)) {
            const what = name === "rev" ? "commit hashes" : "branch/tag names";
            throw new FirnError("bad-url", `URL '${shown}' contains multiple ${what}`);
          }
          input.set(name, value);
        } else if (name === "host" || name === "narHash") input.set(name, value);
      }
      return input;
    },

    check(input) {
      requireString(input, "owner");
      requireString(input, "repo");
      const rev = stringAttribute(input, "rev");
      const ref = stringAttribute(input, "ref");
      const bad = (what: string): FirnError =>
        new FirnError("bad-url", `input ${showAttributes(input)} contains ${what}`);
      if (ref !== undefined && rev !== undefined)
        throw bad(`both a commit hash ('${rev}') and a branch/tag name ('${ref}')`);
      if (rev !== undefined) checkRevision(rev);
      if (ref !== undefined && !isRef(ref)) throw bad("an invalid branch/tag name");
      const host = stringAttribute(input, "host");
      if (host !== undefined && !hostPattern.test(host)) throw bad("an invalid instance host");
    },

    toUrl(input): Url {
      const end = stringAttribute(input, "ref") ?? stringAttribute(input, "rev");
      const parts = [requireString(input, "owner"), requireString(input, "repo"), ...(end === undefined ? [] : [end])];
      const path = parts.join("/");
      const nested = parts.slice(0, 2).some((part) => part.includes("/"));
      const encodedPath = parts
        .map((part, index) => percentEncode(part, index < 2 ? ownerCharacters : `${ownerCharacters}/`))
        .join("/");
      const query = new Map<string, string>();
      for (const name of ["host", "narHash"]) {
        const value = stringAttribute(input, name);
        if (value !== undefined) query.set(name, value);
      }
      const shown = nested ? { path, encodedPath } : { path };
      return { scheme: type, authority: undefined, ...shown, query, fragment: "" };
    },

    isLocked: (input) => input.has("rev") && input.has("narHash"),
  };
}
