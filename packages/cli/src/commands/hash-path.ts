import { resolve } from "node:path";
import { parseContentAddressMethod, printHash } from "@firn/formats";
import { dumpPath, hashNarContent, requireFeature } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { printLine } from "../render/output.ts";
import { commandSettings } from "../session/session.ts";
import { existingPath } from "../targets/existing-path.ts";
import { hashAlgorithm } from "../targets/hash-algorithm.ts";
import { hashFormat } from "./hash-convert.ts";
import { hashFile, hashFlags, notation } from "./hash-file.ts";

/** `firn hash path`: prints the hash of a path's NAR serialisation. */
export const command: Command = {
  positionals: [{ label: "paths", optional: true, repeats: true }],
  flags: [
    ...hashFlags,
    { name: "mode", labels: ["file-ingestion-method"], description: "How to hash: nar (default), flat or git." },
    {
      name: "format",
      labels: ["hash-format"],
      kinds: ["hash-format"],
      description: "Print the hash in this notation: base16, nix32, base64 or sri.",
    },
  ],
  async run(invocation, io) {
    const { flags, positionals } = invocation;
    const mode = flags.value("mode") ?? "nar";
    if (!["flat", "nar", "git"].includes(mode)) {
      throw new UsageError(`Unknown file ingestion method '${mode}', expect \`flat\`, \`nar\`, or \`git\``);
    }
    const method = parseContentAddressMethod(mode);
    const settings = commandSettings(invocation, io);
    const algorithm = hashAlgorithm(flags.value("type") ?? "sha256", settings);
    if (method === "git") requireFeature(settings, "git-hashing");
    const named =
      flags.last("format", "sri", "base16", "base32", "base64") === "format" ? flags.value("format") : undefined;
    const format = named === undefined ? notation(flags) : hashFormat(named);
    for (const word of positionals) {
      const path = method === "flat" ? resolve(io.cwd, word) : existingPath(io.cwd, word);
      // A file may also be a pipe, which no archive can hold.
      const hash =
        method === "flat" ? hashFile(path, algorithm) : hashNarContent(dumpPath(path), { method, algorithm });
      printLine(io, printHash(hash, format, format === "sri"));
    }
    return 0;
  },
};
