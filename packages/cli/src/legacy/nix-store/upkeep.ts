/** Checks and repairs: `nix-store --verify`, `--verify-path`, `--repair-path` and `--optimise`. */
import { equalHashes, FirnError, printHash, showSize } from "@firn/formats";
import { offered, requirePathInfo } from "@firn/store";
import { type OldSession, withOldSession } from "../../session/old-session.ts";
import type { StoreOperation } from "./operation.ts";

/** Repairs a path; a failure is told and becomes false. */
async function tryRepair(session: OldSession, path: string): Promise<boolean> {
  try {
    await (await session.builder()).repair(path);
    return true;
  } catch (error) {
    if (!(error instanceof FirnError) || error.code === "aborted") throw error;
    session.progress.warn(error.message);
    return false;
  }
}

const paths = [{ label: "paths", kind: "store-path", optional: true, repeats: true }] as const;

/** Operations that check, repair or compact the store. */
export const upkeepOperations: readonly StoreOperation[] = [
  {
    flag: { name: "verify", description: "Check that what is registered is there." },
    flags: [
      { name: "check-contents", description: "Compare the contents of every path with its hash." },
      { name: "repair", description: "Fetch or build again what is missing or damaged." },
    ],
    positionals: [],
    wrongArguments: "no arguments expected",
    run: (invocation, io) =>
      withOldSession(invocation, io, async (session) => {
        const { flags } = invocation;
        const repair = (path: string): Promise<boolean> => tryRepair(session, path);
        const store = await session.store();
        const wrong = await offered(store, "upkeep").verifyStore({
          checkContents: flags.has("check-contents"),
          ...(flags.has("repair") ? { repair } : {}),
        });
        if (!wrong) return 0;
        session.progress.warn("not all store errors were fixed");
        return 1;
      }),
  },
  {
    flag: { name: "verify-path", description: "Compare the contents of the paths with their hashes." },
    flags: [],
    positionals: paths,
    wrongFlag: "no flags expected",
    run: (invocation, io) =>
      withOldSession(
        invocation,
        io,
        async (session) => {
          const store = await session.store();
          let status = 0;
          for (const word of invocation.positionals) {
            const path = await session.storePath(word);
            session.progress.event({ kind: "message", level: "talkative", text: `checking path '${path}'...` });
            const { narHash } = await requirePathInfo(store, path);
            const found = offered(store, "upkeep").currentHash(path);
            if (equalHashes(found, narHash)) continue;
            status = 1;
            const [want, got] = [printHash(narHash, "nix32"), printHash(found, "nix32")];
            const text = `path '${path}' was modified! expected hash '${want}', got '${got}'`;
            session.progress.event({ kind: "message", level: "error", text });
          }
          return status;
        },
        { reads: true },
      ),
  },
  {
    flag: { name: "repair-path", description: "Fetch or build the paths again." },
    flags: [],
    positionals: paths,
    wrongFlag: "no flags expected",
    run: (invocation, io) =>
      withOldSession(invocation, io, async (session) => {
        const builder = await session.builder();
        for (const word of invocation.positionals) await builder.repair(await session.storePath(word));
        return 0;
      }),
  },
  {
    flag: { name: "optimise", aliases: ["optimize"], description: "Replace equal files of the store by hard links." },
    flags: [],
    positionals: [],
    wrongArguments: "no arguments expected",
    run: (invocation, io) =>
      withOldSession(invocation, io, async (session) => {
        const saved = await offered(await session.store(), "upkeep").optimiseStore();
        if (saved === undefined) return 0;
        const { filesLinked, bytesFreed } = saved;
        const text = `${showSize(bytesFreed)} freed by hard-linking ${filesLinked} files`;
        session.progress.event({ kind: "message", level: "info", text });
        return 0;
      }),
  },
];
