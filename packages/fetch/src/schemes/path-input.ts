/** The forms of inputs that are directories of this machine. */
import { FirnError } from "@firn/formats";
import { type InputScheme, integerAttribute, requireString } from "../input.ts";
import { printUrl, type Url } from "../url.ts";

const integers = new Set(["revCount", "lastModified"]);

/** The scheme of directories of this machine: `path:`. */
export const pathInputs: InputScheme = {
  type: "path",
  attributes: ["path", "rev", "revCount", "lastModified", "narHash"],

  fromUrl(url) {
    if (url.scheme !== "path") return undefined;
    if (url.authority !== undefined && url.authority !== "") {
      throw new FirnError("bad-input", `path URL '${printUrl(url)}' should not have an authority ('${url.authority}')`);
    }
    const input = new Map<string, string | bigint | boolean>([
      ["type", "path"],
      ["path", url.path],
    ]);
    for (const [name, value] of url.query) {
      if (!pathInputs.attributes.includes(name) || name === "path") {
        throw new FirnError("bad-input", `path URL '${printUrl(url)}' has unsupported parameter '${name}'`);
      }
      if (integers.has(name) && !/^\d{1,18}$/.test(value)) {
        throw new FirnError("bad-input", `path URL '${printUrl(url)}' has invalid parameter '${name}'`);
      }
      input.set(name, integers.has(name) ? BigInt(value) : value);
    }
    return input;
  },

  check(input) {
    requireString(input, "path");
    integerAttribute(input, "revCount");
    integerAttribute(input, "lastModified");
  },

  toUrl(input): Url {
    const query = new Map<string, string>();
    for (const [name, value] of input) if (name !== "type" && name !== "path") query.set(name, String(value));
    return { scheme: "path", authority: undefined, path: requireString(input, "path"), query, fragment: "" };
  },

  isLocked: (input) => input.has("narHash"),
};
