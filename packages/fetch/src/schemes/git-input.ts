/** The forms of inputs that are Git repositories. */
import {
  booleanAttribute,
  checkRef,
  checkRevision,
  type InputScheme,
  integerAttribute,
  requireString,
  stringAttribute,
} from "../input.ts";
import { parseUrl, printUrl, type Url } from "../url.ts";

const nullRevision = "0".repeat(40);
/** Transports by which a repository can be reached. */
export const gitTransports = new Set(["file", "http", "https", "ssh", "git"]);
const booleans = new Set(["shallow", "submodules", "lfs", "exportIgnore", "allRefs", "verifyCommit"]);
/** Attributes that URLs have as parameters, besides the booleans; all other parameters are the repository's own. */
const inUrls = ["ref", "rev", "keytype", "publicKey", "publicKeys"];
const parameters = [...inUrls, "narHash", "name", "dirtyRev", "dirtyShortRev"];
const integers = new Set(["lastModified", "revCount"]);

/** The scheme of Git repositories: `git+file:`, `git+https:`, `git+ssh:`, `git+http:`. */
export const gitInputs: InputScheme = {
  type: "git",
  attributes: ["url", ...parameters, ...booleans, ...integers],

  fromUrl(url) {
    const transport = url.scheme === "git" ? "git" : url.scheme.startsWith("git+") ? url.scheme.slice(4) : undefined;
    if (transport === undefined || !gitTransports.has(transport)) return undefined;
    const query = new Map(url.query);
    const input = new Map<string, string | bigint | boolean>([["type", "git"]]);
    for (const [name, value] of url.query) {
      if (booleans.has(name)) input.set(name, value === "1");
      else if (inUrls.includes(name)) input.set(name, value);
      else continue;
      query.delete(name);
    }
    input.set("url", printUrl({ ...url, scheme: transport, query, fragment: "" }));
    return input;
  },

  check(input) {
    requireString(input, "url");
    const ref = stringAttribute(input, "ref");
    const rev = stringAttribute(input, "rev");
    if (ref !== undefined) checkRef(ref);
    if (rev !== undefined) checkRevision(rev);
    for (const name of integers) integerAttribute(input, name);
    for (const name of booleans) booleanAttribute(input, name);
  },

  toUrl(input): Url {
    const text = requireString(input, "url");
    const url = parseUrl(/^\.{0,2}\//.test(text) ? `file:${text}` : text);
    const query = new Map(url.query);
    for (const name of inUrls) {
      const value = stringAttribute(input, name);
      if (value !== undefined) query.set(name, value);
    }
    for (const name of booleans) if (name !== "allRefs" && booleanAttribute(input, name)) query.set(name, "1");
    return { ...url, scheme: url.scheme === "git" ? "git" : `git+${url.scheme}`, query };
  },

  isLocked: (input) => {
    const rev = stringAttribute(input, "rev");
    return rev !== undefined && rev !== nullRevision;
  },
};
