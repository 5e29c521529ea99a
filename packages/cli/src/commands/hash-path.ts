import { resolve } from "node:path";
import { parseContentAddressMethod, parseHashAlgorithm, printHash } from "@firn/formats";
import { dumpPath, hashNarContent } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { printLine } from "../render/output.ts";
import { hashFlags, notation } from "./hash-file.ts";

/** `firn hash path`: prints the hash of a path's NAR serialisation. */
export const command: Command = {
  positionals: [{ label: "paths", repeats: true }],
  flags: [
    ...hashFlags,
    { name: "mode", labels: ["file-ingestion-method"], description: "How to hash: nar (default), flat or git." },
  ],
  async run({ flags, positionals }, io) {
    const algorithm = parseHashAlgorithm(flags.value("type") ?? "sha256");
    const method = parseContentAddressMethod(flags.value("mode") ?? "nar");
    const format = notation(flags);
    for (const path of positionals) {
      const hash = hashNarContent(dumpPath(resolve(io.cwd, path)), { method, algorithm });
      printLine(io, printHash(hash, format, format === "sri"));
    }
    return 0;
  },
};
