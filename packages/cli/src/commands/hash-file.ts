import { resolve } from "node:path";
import { createHasher, type Hash, type HashAlgorithm, printHash } from "@firn/formats";
import { readFileChunks } from "@firn/store";
import type { Command, Flag } from "../grammar/command.ts";
import type { ParsedFlags } from "../grammar/invocation.ts";
import { printLine } from "../render/output.ts";
import { commandSettings } from "../session/session.ts";
import { hashAlgorithm } from "../targets/hash-algorithm.ts";

/** Flags that choose algorithm and notation, shared with `hash path`. */
export const hashFlags: readonly Flag[] = [
  {
    name: "type",
    aliases: ["algo"],
    labels: ["hash-algo"],
    kinds: ["hash-algorithm"],
    description: "Hash algorithm: blake3, md5, sha1, sha256 (default) or sha512.",
  },
  { name: "sri", description: "Print the hash in SRI format (default)." },
  { name: "base16", description: "Print the hash in base-16." },
  { name: "base32", description: "Print the hash in base-32 (Nix-specific)." },
  { name: "base64", description: "Print the hash in base-64." },
];

/** Returns the notation that the flags select. */
export function notation(flags: ParsedFlags): "sri" | "base16" | "nix32" | "base64" {
  const last = flags.last("sri", "base16", "base32", "base64") ?? "sri";
  return last === "base32" ? "nix32" : last;
}

/** Returns the hash of a file's contents. */
export function hashFile(path: string, algorithm: HashAlgorithm): Hash {
  const hasher = createHasher(algorithm);
  for (const chunk of readFileChunks(path)) hasher.update(chunk);
  return { algorithm, bytes: hasher.digest() };
}

/** `firn hash file`: prints the hash of a file's contents. */
export const command: Command = {
  positionals: [{ label: "paths", optional: true, repeats: true }],
  flags: hashFlags,
  async run(invocation, io) {
    const { flags, positionals } = invocation;
    const algorithm = hashAlgorithm(flags.value("type") ?? "sha256", commandSettings(invocation, io));
    const format = notation(flags);
    for (const path of positionals) {
      printLine(io, printHash(hashFile(resolve(io.cwd, path), algorithm), format, format === "sri"));
    }
    return 0;
  },
};
