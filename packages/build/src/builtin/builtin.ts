/** The builders that are part of Firn. */
import { FirnError } from "@firn/formats";
import { buildEnvironment } from "./buildenv.ts";
import type { Builtin } from "./context.ts";
import { fetchUrl } from "./fetchurl.ts";
import { unpackChannel } from "./unpack-channel.ts";
import { unpackDeb } from "./unpack-deb.ts";
import { writeTree } from "./write-tree.ts";

const builtins: Readonly<Record<string, Builtin>> = {
  "builtin:fetchurl": fetchUrl,
  "builtin:buildenv": buildEnvironment,
  "builtin:unpack-channel": unpackChannel,
  "builtin:unpack-deb": unpackDeb,
  "builtin:write-tree": writeTree,
};

/** Returns the builder of that name; error `unknown-builtin`. */
export function findBuiltin(name: string): Builtin {
  const builtin = Object.hasOwn(builtins, name) ? builtins[name] : undefined;
  if (builtin === undefined) {
    throw new FirnError("unknown-builtin", `unsupported builtin builder '${name.slice("builtin:".length)}'`);
  }
  return builtin;
}
