/** `path:`: a directory of this machine, copied whole. */

import { join } from "node:path";
import { FirnError } from "@firn/formats";
import { lstatSync, readdirSync } from "@firn/store/files";
import { type FetchedTree, integerAttribute, requireString, type Scheme, withAttributes } from "../input.ts";
import type { Url } from "../url.ts";

const integers = new Set(["revCount", "lastModified"]);

/** The scheme of `path:` references. */
export const pathScheme: Scheme = {
  type: "path",
  attributes: ["path", "rev", "revCount", "lastModified", "narHash"],

  fromUrl(url) {
    if (url.scheme !== "path") return undefined;
    if (url.authority !== undefined && url.authority !== "") {
      throw new FirnError(
        "bad-input",
        `path URL 'path://${url.authority}${url.path}' should not have an authority ('${url.authority}')`,
      );
    }
    const input = new Map<string, string | bigint | boolean>([
      ["type", "path"],
      ["path", url.path],
    ]);
    for (const [name, value] of url.query) {
      if (!pathScheme.attributes.includes(name) || name === "path") {
        throw new FirnError("bad-input", `path URL 'path:${url.path}' has unsupported parameter '${name}'`);
      }
      if (integers.has(name) && !/^\d{1,18}$/.test(value)) {
        throw new FirnError("bad-input", `path URL 'path:${url.path}' has invalid parameter '${name}'`);
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

  async fetch(input, context): Promise<FetchedTree> {
    const path = requireString(input, "path");
    if (!path.startsWith("/")) {
      throw new FirnError("bad-input", `cannot fetch input 'path:${path}' because it uses a relative path`);
    }
    let lastModified: number;
    try {
      lastModified = newestChange(path);
    } catch (cause) {
      throw new FirnError("not-found", `path '${path}' does not exist`, { cause });
    }
    const { storePath, narHash } = await context.store.addTree({ name: "source", path });
    const known = input.get("lastModified");
    return {
      storePath,
      locked: withAttributes(input, { narHash, lastModified: known ?? BigInt(lastModified) }),
    };
  },
};

/** The newest modification time below a path, in seconds. */
function newestChange(path: string): number {
  let newest = 0;
  const pending = [path];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const stats = lstatSync(next);
    newest = Math.max(newest, Math.floor(stats.mtimeMs / 1000));
    if (stats.isDirectory()) for (const name of readdirSync(next)) pending.push(join(next, name));
  }
  return newest;
}
