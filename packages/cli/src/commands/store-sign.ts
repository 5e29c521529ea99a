import { resolve } from "node:path";
import { parseSecretKey, signPathInfo } from "@firn/formats";
import { requirePathInfo } from "@firn/store";
import { readFileSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { installableFlags, stdinFlag } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathSelection, pathsOf } from "../targets/store-targets.ts";
import { pathFlags } from "./path-info.ts";

/** `firn store sign`: adds signatures by a local key. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [
    ...pathFlags,
    ...installableFlags,
    stdinFlag,
    { name: "key-file", short: "k", labels: ["file"], description: "File containing the secret signing key." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const { flags } = invocation;
        const file = flags.value("key-file");
        if (file === undefined) throw new UsageError("required argument '--key-file' is missing");
        const key = parseSecretKey(readFileSync(resolve(io.cwd, file), "latin1").trim());
        const store = await session.store();
        let added = 0;
        for (const path of await pathsOf(session, await session.words(), {
          realise: false,
          ...pathSelection(invocation),
        })) {
          const info = await requirePathInfo(store, path);
          const signature = signPathInfo(info, key);
          if (info.signatures.includes(signature)) continue;
          await store.addSignatures(path, [signature]);
          added++;
        }
        io.err(`added ${added} signatures\n`);
        return 0;
      },
    }),
};
