/** The forms of inputs that are archives or files of a server: `tarball+http://…`, `file+https://…` and plain URLs. */
import { type InputScheme, integerAttribute, requireString } from "../input.ts";
import { parseUrl, printUrl, type Url } from "../url.ts";

const transports = new Set(["http", "https", "file"]);
const archiveName = /\.(zip|tar|tgz|tar\.gz|tar\.xz|tar\.bz2|tar\.zst)$/;
/** Query parameters that are attributes of the input and not part of its URL. */
const attributeParameters = ["narHash", "rev", "revCount", "lastModified"];
const integers = new Set(["revCount", "lastModified"]);

/** The scheme of archives, unpacked with their top directory stripped. */
export const tarballInputs = inputsOf("tarball");
/** The scheme of single files. */
export const fileInputs = inputsOf("file");

function inputsOf(type: "tarball" | "file"): InputScheme {
  const scheme: InputScheme = {
    type,
    attributes: ["url", "narHash", "name", "unpack", "rev", "revCount", "lastModified"],

    fromUrl(url, requireTree) {
      const [first = "", second] = url.scheme.split("+");
      const transport = second ?? first;
      if (!transports.has(transport)) return undefined;
      if (second !== undefined && first !== type) return undefined;
      if (second === undefined) {
        const archive = requireTree || archiveName.test(url.path);
        if (archive !== (type === "tarball")) return undefined;
      }
      const input = new Map<string, string | bigint | boolean>([["type", type]]);
      const query = new Map(url.query);
      for (const name of attributeParameters) {
        const value = query.get(name);
        if (value === undefined) continue;
        query.delete(name);
        if (integers.has(name) && !/^\d{1,18}$/.test(value)) continue;
        input.set(name, integers.has(name) ? BigInt(value) : value);
      }
      input.set("url", printUrl({ ...url, scheme: transport, query, fragment: "" }));
      return input;
    },

    check(input) {
      requireString(input, "url");
      integerAttribute(input, "revCount");
      integerAttribute(input, "lastModified");
    },

    toUrl(input): Url {
      const url = parseUrl(requireString(input, "url"));
      const query = new Map(url.query);
      // The other attributes are not written, as the reference does not.
      const narHash = input.get("narHash");
      if (narHash !== undefined) query.set("narHash", String(narHash));
      // A URL that would be read as the other kind does not say so, as in the reference.
      return { ...url, query };
    },

    isLocked: (input) => input.has("narHash"),
  };
  return scheme;
}
