/**
 * `builtin:unpack-deb`: lays out a Debian package without running any of its programs. The data tree becomes `$out`; its
 * control data (control, maintainer scripts as plain text, …) goes to `$out/DEBIAN`.
 */

import { FirnError } from "@firn/formats";
import { decompress, extractTar } from "@firn/store";
import * as fs from "@firn/store/files";
import { attribute, type BuiltinContext } from "./context.ts";
import { findInput } from "./input-path.ts";

const MAGIC = "!<arch>\n";
const HEADER = 60;
const MAX_UNPACKED = 16 * 2 ** 30;
const MAX_CONTROL = 256 * 2 ** 20;

interface Member {
  readonly name: string;
  readonly start: number;
  readonly size: number;
}

/** Unpacks attribute `src`, a file of an input, to output `out`. Errors `bad-deb`, `bad-tar`, `forbidden-path`. */
export async function unpackDeb(context: BuiltinContext): Promise<void> {
  const src = attribute(context, "src");
  const found = findInput({ store: context.store, allows: (path) => context.inputPaths.has(path) }, src);
  if (found?.status.isFile() !== true) throw bad(src, "there is no such file");
  const file = found.real;
  const out = context.output("out");
  const members = readArchive(file);
  if (members[0]?.name !== "debian-binary") throw bad(src, "does not start with 'debian-binary'");
  const format = Buffer.concat([...memberChunks(file, members[0])]).toString("latin1");
  if (!format.startsWith("2.")) throw bad(src, `has the unknown format ${format.trim()}`);
  fs.mkdirSync(out, 0o755);
  await extractMember(file, find(members, "data.tar", src), { target: out, limit: MAX_UNPACKED });
  const control = `${out}/DEBIAN`;
  fs.mkdirSync(control, 0o755);
  await extractMember(file, find(members, "control.tar", src), { target: control, limit: MAX_CONTROL });
}

function bad(file: string, what: string): FirnError {
  return new FirnError("bad-deb", `'${file}' is not a Debian package: ${what}`);
}

function find(members: readonly Member[], prefix: string, file: string): Member {
  const found = members.find((member) => member.name === prefix || member.name.startsWith(`${prefix}.`));
  if (found === undefined) throw bad(file, `there is no ${prefix}`);
  return found;
}

/** Returns the members of an `ar` archive. Error `bad-deb`. */
export function readArchive(file: string): Member[] {
  const fd = fs.openSync(file, "r");
  try {
    const { size: total } = fs.fstatSync(fd);
    const read = (start: number, length: number): string => {
      const buffer = Buffer.alloc(length);
      return buffer.toString("latin1", 0, fs.readSync(fd, buffer, 0, length, start));
    };
    if (read(0, MAGIC.length) !== MAGIC) throw bad(file, "no ar archive");
    const members: Member[] = [];
    for (let at = MAGIC.length; at < total; ) {
      const header = read(at, HEADER);
      const sizeText = header.slice(48, 58).trim();
      if (header.length < HEADER || header.slice(58) !== "`\n" || !/^[0-9]{1,10}$/.test(sizeText)) {
        throw bad(file, "broken member header");
      }
      const size = Number(sizeText);
      if (at + HEADER + size > total) throw bad(file, "truncated");
      members.push({ name: header.slice(0, 16).trim().replace(/\/$/, ""), start: at + HEADER, size });
      if (members.length > 32) throw bad(file, "too many members");
      at += HEADER + size + (size % 2);
    }
    return members;
  } finally {
    fs.closeSync(fd);
  }
}

function* memberChunks(file: string, member: Member): Generator<Uint8Array, void, undefined> {
  const fd = fs.openSync(file, "r");
  try {
    for (let at = 0; at < member.size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(1 << 18, member.size - at));
      const count = fs.readSync(fd, buffer, 0, buffer.length, member.start + at);
      if (count === 0) throw bad(file, "truncated");
      at += count;
      yield buffer.subarray(0, count);
    }
  } finally {
    fs.closeSync(fd);
  }
}

async function extractMember(file: string, member: Member, options: { target: string; limit: number }): Promise<void> {
  const suffix = member.name.slice(member.name.indexOf(".tar") + ".tar".length);
  const methods: Readonly<Record<string, string>> = { "": "none", ".gz": "gzip", ".xz": "xz", ".zst": "zstd" };
  const method = Object.hasOwn(methods, suffix) ? methods[suffix] : undefined;
  if (method === undefined) throw bad(file, `unknown compression of '${member.name}'`);
  await extractTar(decompress(memberChunks(file, member), method, options.limit), options.target);
}
