/** `nix-hash`: prints hashes of files, or one hash in another notation. */
import { resolve } from "node:path";
import { compressHash, createHasher, type Hash, type HashFormat, parseHash, printHash } from "@firn/formats";
import { dumpPath, readFileChunks } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { printLine } from "../render/output.ts";
import { commandSettings } from "../session/session.ts";
import { existingPath } from "../targets/existing-path.ts";
import { hashAlgorithm } from "../targets/hash-algorithm.ts";

const conversions = {
  "to-base16": "base16",
  "to-base32": "nix32",
  "to-base64": "base64",
  "to-sri": "sri",
} as const satisfies Readonly<Record<string, HashFormat>>;

type Conversion = keyof typeof conversions;

const notations = { base16: "base16", base32: "nix32", base64: "base64", sri: "sri" } as const;

function folded(hash: Hash): Hash {
  return hash.bytes.length > 20 ? { ...hash, bytes: compressHash(hash.bytes, 20) } : hash;
}

/** `nix-hash`. */
export const command: Command = {
  style: "old",
  positionals: [{ label: "paths", kind: "path", optional: true, repeats: true }],
  flags: [
    { name: "flat", description: "Hash the contents of files instead of their archives." },
    { name: "type", labels: ["algorithm"], kinds: ["hash-algorithm"], description: "The algorithm; default md5." },
    { name: "base16", description: "Print hashes in base 16 (default)." },
    { name: "base32", description: "Print hashes in Nix's base 32." },
    { name: "base64", description: "Print hashes in base 64." },
    { name: "sri", description: "Print hashes in the form of the web's subresource integrity." },
    { name: "truncate", description: "Fold hashes to 160 bits." },
    { name: "to-base16", description: "Print the given hashes in base 16." },
    { name: "to-base32", description: "Print the given hashes in Nix's base 32." },
    { name: "to-base64", description: "Print the given hashes in base 64." },
    { name: "to-sri", description: "Print the given hashes in the form of the web's subresource integrity." },
  ],
  async run(invocation, io) {
    const { flags, positionals } = invocation;
    const settings = commandSettings(invocation, io);
    const type = flags.value("type");
    const algorithm = type === undefined ? undefined : hashAlgorithm(type, settings);
    const print = (hash: Hash, format: HashFormat): void => printLine(io, printHash(hash, format, format === "sri"));
    const conversion = flags.last(...(Object.keys(conversions) as Conversion[]));
    if (conversion !== undefined) {
      for (const text of positionals) print(parseHash(text, algorithm), conversions[conversion]);
      return 0;
    }
    const format = notations[flags.last("base16", "base32", "base64", "sri") ?? "base16"];
    for (const word of positionals) {
      const path = flags.has("flat") ? resolve(io.cwd, word) : existingPath(io.cwd, word);
      const hasher = createHasher(algorithm ?? "md5");
      for (const chunk of flags.has("flat") ? readFileChunks(path) : dumpPath(path)) hasher.update(chunk);
      const hash = { algorithm: algorithm ?? "md5", bytes: hasher.digest() };
      print(flags.has("truncate") ? folded(hash) : hash, format);
    }
    return 0;
  },
};
