import {
  countGoodSignatures,
  FirnError,
  isContentAddressed,
  type PathInfo,
  parsePublicKey,
  printHash,
} from "@firn/formats";
import {
  errorEvent,
  type HashedTree,
  hashNar,
  hashTrees,
  type MachineStore,
  openStore,
  requirePathInfo,
  type Store,
} from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags, stdinFlag } from "../grammar/flags.ts";
import { parseInteger } from "../grammar/integer.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathSelection, pathsOf } from "../targets/store-targets.ts";
import { pathFlags } from "./path-info.ts";

/** `firn store verify`: checks that paths are as registered and signed by trusted keys. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [
    ...pathFlags,
    ...installableFlags,
    stdinFlag,
    { name: "no-contents", description: "Do not verify the contents of each store path." },
    { name: "no-trust", description: "Do not verify whether each store path is trusted." },
    {
      name: "sigs-needed",
      short: "n",
      labels: ["n"],
      description: "Require that each path is signed by at least n different keys.",
    },
    { name: "substituter", short: "s", labels: ["store-uri"], description: "Use signatures from the specified store." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const { flags } = invocation;
        const store = await session.store();
        const paths = await pathsOf(session, await session.words(), {
          realise: false,
          ...pathSelection(invocation),
        });
        const keys = session.settings.get("trusted-public-keys").map(parsePublicKey);
        const others: Store[] = [];
        for (const [uri] of flags.all("substituter")) {
          others.push(
            await openStore(uri ?? "", {
              settings: session.settings,
              environment: io.env,
              offline: flags.has("offline"),
              events: (event) => session.progress.event(event),
            }),
          );
        }
        const needed = parseInteger(flags.value("sigs-needed") ?? "0");
        let corrupted = 0;
        let untrusted = 0;
        let failed = 0;
        const fail = (error: unknown): void => {
          if (!(error instanceof FirnError) || error.code === "aborted") throw error;
          failed++;
          session.progress.event(errorEvent(error.message));
        };
        const infos: PathInfo[] = [];
        for (const path of paths) {
          try {
            infos.push(await requirePathInfo(store, path));
          } catch (error) {
            fail(error);
          }
        }
        const checkContents = ({ path, narHash }: PathInfo, found: HashedTree): void => {
          if ("error" in found) throw found.error;
          const [want, got] = [printHash(narHash, "sri"), printHash(found.hash, "sri")];
          if (want === got) return;
          corrupted++;
          session.progress.event({
            kind: "message",
            level: "error",
            text: `path '${path}' was modified! expected hash '${want}', got '${got}'`,
          });
        };
        const checkTrust = async (info: PathInfo): Promise<void> => {
          const signatures = new Set(info.signatures);
          for (const other of others)
            for (const signature of (await other.queryPathInfo(info.path))?.signatures ?? []) signatures.add(signature);
          const good = countGoodSignatures({ ...info, signatures: [...signatures] }, keys);
          if (isContentAddressed(info) || (needed > 0 ? good >= needed : info.ultimate === true || good > 0)) return;
          untrusted++;
          session.progress.event({ kind: "message", level: "error", text: `path '${info.path}' is untrusted` });
        };
        const hashes = flags.has("no-contents") ? undefined : contentHashes(store, infos);
        try {
          for (const info of infos) {
            session.progress.event({
              kind: "message",
              level: "info",
              text: `checking '${info.path}'...`,
            });
            const found = await hashes?.next();
            try {
              if (found?.done === false) checkContents(info, found.value);
              if (!flags.has("no-trust")) await checkTrust(info);
            } catch (error) {
              fail(error);
            }
          }
        } finally {
          // What ends the check ends its threads too.
          await hashes?.return();
        }
        // The reference's exit status: 1 corrupted, 2 untrusted, 4 could not be checked, added up.
        return (corrupted > 0 ? 1 : 0) | (untrusted > 0 ? 2 : 0) | (failed > 0 ? 4 : 0);
      },
    }),
};

/** Yields the hashes of the contents of paths in their order: of the files of a store on this machine, else of what the store sends. */
async function* contentHashes(
  store: MachineStore,
  infos: readonly PathInfo[],
): AsyncGenerator<HashedTree, void, undefined> {
  if (store.fetchFiles === undefined) {
    yield* hashTrees(infos.map(({ path, narSize }) => ({ real: store.realPath(path), size: narSize })));
    return;
  }
  for (const { path } of infos) {
    try {
      yield await hashNar(store.narFromPath(path));
    } catch (error) {
      yield { error };
    }
  }
}
