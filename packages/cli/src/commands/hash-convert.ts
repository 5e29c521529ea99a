import { FirnError, type HashFormat, parseHashWithFormat, printHash } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { printLine } from "../render/output.ts";
import { commandSettings } from "../session/session.ts";
import { hashAlgorithm } from "../targets/hash-algorithm.ts";

/** Notations by the names on the command line. */
const formats: Readonly<Record<string, HashFormat>> = {
  base16: "base16",
  nix32: "nix32",
  base32: "nix32",
  base64: "base64",
  sri: "sri",
};

/** Returns the notation with a name. Error `unknown-hash-format`. */
export function hashFormat(name: string): HashFormat {
  const format = formats[name];
  if (format === undefined) {
    throw new FirnError(
      "unknown-hash-format",
      `unknown hash format '${name}', expect 'base16', 'base32', 'base64', or 'sri'`,
    );
  }
  return format;
}

/** `firn hash convert`: prints the same hash in another notation. */
export const command: Command = {
  positionals: [{ label: "hashes", optional: true, repeats: true }],
  flags: [
    {
      name: "from",
      labels: ["hash-format"],
      kinds: ["hash-format"],
      description: "Only accept this format: base16, nix32, base64 or sri.",
    },
    { name: "to", labels: ["hash-format"], kinds: ["hash-format"], description: "Format of the result; default sri." },
    {
      name: "hash-algo",
      labels: ["hash-algo"],
      kinds: ["hash-algorithm"],
      description: "Hash algorithm: blake3, md5, sha1, sha256 or sha512. Can be omitted for SRI hashes.",
    },
  ],
  async run(invocation, io) {
    const { flags, positionals } = invocation;
    const settings = commandSettings(invocation, io);
    const algorithm = flags.value("hash-algo");
    const from = flags.value("from");
    const to = hashFormat(flags.value("to") ?? "sri");
    for (const text of positionals) {
      const parsed = parseHashWithFormat(
        text,
        algorithm === undefined ? undefined : hashAlgorithm(algorithm, settings),
      );
      if (from !== undefined && parsed.format !== hashFormat(from)) {
        throw new FirnError(
          "bad-hash",
          `input hash '${text}' has format '${parsed.format}', but '--from ${from}' was specified`,
        );
      }
      printLine(io, printHash(parsed.hash, to, to === "sri"));
    }
    return 0;
  },
};
