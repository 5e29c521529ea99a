/** Archives: `nix-store --dump`, `--restore`, `--export` and `--import`. */
import { resolve } from "node:path";
import { dumpPath, exportPaths, importPaths, restorePath } from "@firn/store";
import type { Io } from "../../io.ts";
import { printChunks, printLine } from "../../render/output.ts";
import { withOldSession } from "../../session/old-session.ts";
import { commandSettings } from "../../session/session.ts";
import { existingPath } from "../../targets/existing-path.ts";
import type { StoreOperation } from "./operation.ts";

/** Returns the bytes of standard input as they arrive. */
export function inputOf(io: Io): AsyncIterable<Uint8Array> {
  return io.input ?? (process.stdin as AsyncIterable<Uint8Array>);
}

const onePath = {
  positionals: [{ label: "path", kind: "path" }],
  wrongFlag: "unknown flag",
  wrongArguments: "only one argument allowed",
} as const;

/** Operations on archives. */
export const archiveOperations: readonly StoreOperation[] = [
  {
    flag: { name: "dump", description: "Write path as an archive to standard output." },
    flags: [],
    ...onePath,
    async run(invocation, io) {
      const {
        positionals: [path = ""],
      } = invocation;
      commandSettings(invocation, io);
      await printChunks(io, dumpPath(existingPath(io.cwd, path)));
      return 0;
    },
  },
  {
    flag: { name: "restore", description: "Unpack an archive from standard input to path." },
    flags: [],
    ...onePath,
    async run(invocation, io) {
      const {
        positionals: [path = ""],
      } = invocation;
      commandSettings(invocation, io);
      await restorePath(resolve(io.cwd, path), inputOf(io));
      return 0;
    },
  },
  {
    flag: { name: "export", description: "Write the paths with their facts to standard output, for --import." },
    flags: [],
    positionals: [{ label: "paths", kind: "store-path", optional: true, repeats: true }],
    wrongFlag: "unknown flag '%s'",
    run: (invocation, io) =>
      withOldSession(
        invocation,
        io,
        async (session) => {
          const paths: string[] = [];
          for (const word of invocation.positionals) paths.push(await session.storePath(word));
          await printChunks(io, exportPaths(await session.store(), paths));
          return 0;
        },
        { reads: true },
      ),
  },
  {
    flag: { name: "import", description: "Add what --export wrote, from standard input." },
    flags: [],
    positionals: [],
    wrongArguments: "no arguments expected",
    run: (invocation, io) =>
      withOldSession(invocation, io, async (session) => {
        for (const path of await importPaths(await session.store(), inputOf(io))) printLine(io, path);
        return 0;
      }),
  },
];
