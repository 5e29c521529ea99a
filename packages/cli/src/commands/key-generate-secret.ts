import { randomBytes } from "node:crypto";
import { printKey, secretKeyFromSeed } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";

/** `firn key generate-secret`: prints a new signing key on standard output. */
export const command: Command = {
  positionals: [],
  flags: [{ name: "key-name", labels: ["name"], description: "Identifier of the key (e.g. cache.example.org-1)." }],
  async run({ flags }, io) {
    const name = flags.value("key-name");
    if (name === undefined) throw new UsageError("required argument '--key-name' is missing");
    // No newline at the end, as the reference: the output is the file's content.
    io.out(printKey(secretKeyFromSeed(name, randomBytes(32))));
    return 0;
  },
};
