/** Builds that were made: `nix-store --read-log` and `--print-env`. */
import { shellQuote } from "@firn/build";
import { FirnError, isDerivationPath, storePathBaseName } from "@firn/formats";
import { printLine } from "../../render/output.ts";
import { withOldSession } from "../../session/old-session.ts";
import { knownDerivation } from "../../targets/store-targets.ts";
import type { StoreOperation } from "./operation.ts";

/** Operations about builds. */
export const buildOperations: readonly StoreOperation[] = [
  {
    flag: { name: "read-log", short: "l", description: "Print the logs of the builds that made the paths." },
    flags: [],
    positionals: [{ label: "paths", kind: "store-path", optional: true, repeats: true }],
    run: (invocation, io) =>
      withOldSession(
        invocation,
        io,
        async (session) => {
          const store = await session.store();
          for (const word of invocation.positionals) {
            const path = await session.storePath(word);
            const log = await store.buildLog((await knownDerivation(store, path))?.drvPath ?? path);
            if (log === undefined) {
              throw new FirnError("no-log", `build log of derivation '${path}' is not available`);
            }
            for await (const chunk of log) {
              io.out(chunk);
              await io.drained?.();
            }
          }
          return 0;
        },
        { reads: true },
      ),
  },
  {
    flag: { name: "print-env", description: "Print the builder's environment in the language of the shell." },
    flags: [],
    positionals: [{ label: "derivation", kind: "store-path" }],
    wrongArguments: "'--print-env' requires one derivation store path",
    run: (invocation, io) =>
      withOldSession(
        invocation,
        io,
        async (session) => {
          const path = await session.storePath(invocation.positionals[0] ?? "");
          if (!isDerivationPath(path)) {
            const what = `store path '${storePathBaseName(path)}' is not a valid derivation path`;
            throw new FirnError("bad-derivation", `error parsing derivation '${path}': ${what}`);
          }
          const derivation = (await session.store()).readDerivation(path);
          for (const [name, value] of [...derivation.env].sort(([a], [b]) => (a < b ? -1 : 1))) {
            printLine(io, `export ${name}; ${name}=${shellQuote(value)}\n`);
          }
          printLine(io, `export _args; _args=${shellQuote(derivation.args.join(" "))}`);
          return 0;
        },
        { reads: true },
      ),
  },
];
