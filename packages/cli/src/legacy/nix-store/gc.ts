/** Deleting paths: `nix-store --gc` and `--delete`. */

import type { GcOptions, GcResult } from "@firn/store";
import { offered } from "@firn/store";
import { parseInteger } from "../../grammar/integer.ts";
import { UsageError } from "../../grammar/usage-error.ts";
import { printLine } from "../../render/output.ts";
import { freed } from "../../render/quantities.ts";
import { type OldSession, withOldSession } from "../../session/old-session.ts";
import type { StoreOperation } from "./operation.ts";

/** Deletes what the options select, and prints how much that freed, also when it fails. */
export async function deleteGarbage(session: OldSession, options: GcOptions): Promise<number> {
  const store = await session.store();
  let result: GcResult = { paths: [], bytesFreed: 0, failures: [] };
  try {
    result = await offered(store, "roots").collectGarbage(options);
  } finally {
    session.progress.clear();
    printLine(session.io, freed(result.paths.length, result.bytesFreed));
  }
  return result.failures.length > 0 ? 1 : 0;
}

/** Operations that delete paths. */
export const gcOperations: readonly StoreOperation[] = [
  {
    flag: { name: "gc", description: "Delete what no root keeps alive." },
    flags: [
      { name: "print-roots", description: "Print the roots, and delete nothing." },
      { name: "print-live", description: "Print what is alive, and delete nothing." },
      { name: "print-dead", description: "Print what is dead, and delete nothing." },
      { name: "max-freed", labels: ["bytes"], description: "Stop after so many bytes; K, M, G and T may follow." },
    ],
    positionals: [],
    wrongFlag: "bad sub-operation '%s' in GC",
    wrongArguments: "no arguments expected",
    run: (invocation, io) =>
      withOldSession(
        invocation,
        io,
        async (session) => {
          const { flags } = invocation;
          const max = flags.value("max-freed");
          const maxFreed = max === undefined ? undefined : Math.max(0, parseInteger(max));
          const prints = flags.has("print-live") || flags.has("print-dead");
          if ((prints || flags.has("print-roots")) && maxFreed !== undefined) {
            throw new UsageError(
              "option --max-freed cannot be combined with --print-live, --print-dead, or --print-roots",
            );
          }
          const store = await session.store();
          if (flags.has("print-roots")) {
            const lines: string[] = [];
            for (const [path, links] of await offered(store, "roots").findRoots()) {
              for (const link of links) lines.push(`"${link}" -> ${path}`);
            }
            for (const line of lines.sort()) printLine(io, line);
            return 0;
          }
          if (!prints) {
            const limit = maxFreed === undefined ? {} : { maxFreed };
            return deleteGarbage(session, { action: "delete-dead", ...limit });
          }
          const action = flags.last("print-live", "print-dead") === "print-live" ? "live" : "dead";
          const { paths } = await offered(store, "roots").collectGarbage({ action });
          session.progress.clear();
          for (const path of paths) printLine(io, path);
          return 0;
        },
        { frees: true },
      ),
  },
  {
    flag: { name: "delete", description: "Delete the paths if nothing keeps them alive." },
    flags: [{ name: "ignore-liveness", description: "Delete them even when a root keeps them alive." }],
    positionals: [{ label: "paths", kind: "store-path", optional: true, repeats: true }],
    run: (invocation, io) =>
      withOldSession(
        invocation,
        io,
        async (session) => {
          const paths: string[] = [];
          for (const word of invocation.positionals) paths.push(await session.storePath(word));
          const ignoreLiveness = invocation.flags.has("ignore-liveness");
          return deleteGarbage(session, { action: "delete-specific", paths, ignoreLiveness });
        },
        { frees: true },
      ),
  },
];
