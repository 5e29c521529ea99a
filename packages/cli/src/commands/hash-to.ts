/** The deprecated commands `firn hash to-base16`, `to-base32`, `to-base64` and `to-sri`. */
import { type HashFormat, parseHash, printHash } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { renderWarning } from "../render/error.ts";
import { printLine } from "../render/output.ts";
import { commandSettings } from "../session/session.ts";
import { hashAlgorithm } from "../targets/hash-algorithm.ts";

function conversionTo(format: HashFormat): Command {
  return {
    positionals: [{ label: "strings", optional: true, repeats: true }],
    flags: [
      {
        name: "type",
        aliases: ["algo"],
        labels: ["hash-algo"],
        kinds: ["hash-algorithm"],
        description: "Hash algorithm: blake3, md5, sha1, sha256 or sha512. Can be omitted for SRI hashes.",
      },
    ],
    async run(invocation, io) {
      const { flags, positionals } = invocation;
      const settings = commandSettings(invocation, io);
      const type = flags.value("type");
      const algorithm = type === undefined ? undefined : hashAlgorithm(type, settings);
      const replaced =
        "The old format conversion subcommands of `nix hash` were deprecated in favor of `nix hash convert`.";
      io.err(`${renderWarning(replaced, undefined, io.terminal)}\n`);
      for (const text of positionals) printLine(io, printHash(parseHash(text, algorithm), format, format === "sri"));
      return 0;
    },
  };
}

/** `firn hash to-base16`. */
export const toBase16: Command = conversionTo("base16");
/** `firn hash to-base32`. */
export const toBase32: Command = conversionTo("nix32");
/** `firn hash to-base64`. */
export const toBase64: Command = conversionTo("base64");
/** `firn hash to-sri`. */
export const toSri: Command = conversionTo("sri");
