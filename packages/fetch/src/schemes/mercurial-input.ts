/** The forms of inputs that are Mercurial repositories. */
import { parseHash } from "@firn/formats";
import { checkRef, type InputScheme, integerAttribute, requireString, stringAttribute } from "../input.ts";
import { parseUrl, printUrl, type Url } from "../url.ts";

const transports = new Set(["file", "http", "https", "ssh"]);

/** The scheme of Mercurial repositories: `hg+file:`, `hg+https:`, `hg+http:`, `hg+ssh:`. */
export const mercurialInputs: InputScheme = {
  type: "hg",
  attributes: ["url", "ref", "rev", "revCount", "narHash", "name"],

  fromUrl(url) {
    const transport = url.scheme.startsWith("hg+") ? url.scheme.slice(3) : "";
    if (!transports.has(transport)) return undefined;
    const input = new Map<string, string>([["type", "hg"]]);
    for (const name of ["ref", "rev"]) {
      const value = url.query.get(name);
      if (value !== undefined) input.set(name, value);
    }
    input.set("url", printUrl({ ...url, scheme: transport, query: new Map(), fragment: "" }));
    return input;
  },

  check(input) {
    parseUrl(requireString(input, "url"));
    const ref = stringAttribute(input, "ref");
    if (ref !== undefined) checkRef(ref, "Mercurial");
    const rev = stringAttribute(input, "rev");
    if (rev !== undefined) parseHash(rev, "sha1");
    integerAttribute(input, "revCount");
  },

  toUrl(input): Url {
    const url = parseUrl(requireString(input, "url"));
    const query = new Map(url.query);
    for (const name of ["ref", "rev"]) {
      const value = stringAttribute(input, name);
      if (value !== undefined) query.set(name, value);
    }
    return { ...url, scheme: `hg+${url.scheme}`, query };
  },

  isLocked: (input) => input.has("rev"),
};
