/** `builtin:unpack-channel`: the one tree of an archive under the name of a channel, as `nix-channel` installs it. */
import { basename } from "node:path";
import { FirnError } from "@firn/formats";
import { compressionOf, decompress, disk, entriesIn, extractTar } from "@firn/store";
import * as fs from "@firn/store/files";
import { attribute, type BuiltinContext } from "./context.ts";
import { findInput } from "./input-path.ts";

const maxUnpacked = 16 * 2 ** 30;
const headerBytes = 16;

/** Unpacks attribute `src`, an archive among the inputs, as `channelName` in output `out`. Errors `bad-tar`, `bad-archive`. */
export async function unpackChannel(context: BuiltinContext): Promise<void> {
  const name = attribute(context, "channelName");
  if (name === "" || basename(name) !== name) {
    throw new FirnError("bad-derivation", `channelName is not allowed to contain filesystem separators, got "${name}"`);
  }
  const src = attribute(context, "src");
  const found = findInput({ store: context.store, allows: (path) => context.inputPaths.has(path) }, src);
  if (found?.status.isFile() !== true) throw new FirnError("bad-archive", `channel tarball '${src}' is no file`);
  const out = context.output("out");
  disk.mkdirs(out);
  const method = compressionOf(firstBytes(found.real));
  await extractTar(decompress(fs.createReadStream(found.real), method, maxUnpacked), out);
  const [entry, ...others] = entriesIn(out);
  if (entry === undefined) throw new FirnError("bad-archive", `channel tarball '${src}' is empty`);
  if (others.length > 0) throw new FirnError("bad-archive", `channel tarball '${src}' contains more than one file`);
  disk.rename(`${out}/${entry.name}`, `${out}/${name}`);
}

function firstBytes(file: string): Uint8Array {
  const fd = fs.openSync(file, "r");
  try {
    const buffer = Buffer.alloc(headerBytes);
    return buffer.subarray(0, fs.readSync(fd, buffer, 0, headerBytes, 0));
  } finally {
    fs.closeSync(fd);
  }
}
