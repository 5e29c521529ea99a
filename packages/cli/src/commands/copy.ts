import { resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { cannotSubstitute, computeClosure, copyPaths, offered, openStore, type Store } from "@firn/store";
import { setProfile } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { installableFlags, stdinFlag } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathsOf, realisationsOf } from "../targets/store-targets.ts";
import { pathFlags } from "./path-info.ts";

/** `firn copy`: copies paths with their closures between stores. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [
    ...pathFlags,
    { name: "no-recursive", description: "Apply operation to specified paths only." },
    ...installableFlags,
    stdinFlag,
    { name: "from", labels: ["store-uri"], description: "URL of the source Nix store." },
    { name: "to", labels: ["store-uri"], description: "URL of the destination Nix store." },
    { name: "profile", labels: ["path"], kinds: ["profile"], description: "Operate on the profile at path." },
    {
      name: "out-link",
      short: "o",
      labels: ["path"],
      kinds: ["path"],
      description: "Create symlinks prefixed with path to the top-level store paths fetched from the source store.",
    },
    { name: "no-check-sigs", description: "Do not require that paths are signed by trusted keys." },
    {
      name: "substitute-on-destination",
      short: "s",
      description: "Whether to try substitutes on the destination store (only supported by SSH stores).",
    },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const { flags } = invocation;
        const [fromUri, toUri] = [flags.value("from"), flags.value("to")];
        if (fromUri === undefined && toUri === undefined) throw new UsageError("you must pass '--from' and/or '--to'");
        const local = await session.store();
        const open = (uri: string): Promise<Store> =>
          openStore(uri, {
            settings: session.settings,
            environment: io.env,
            offline: flags.has("offline"),
            events: (event) => session.progress.event(event),
          });
        const from = fromUri === undefined ? local : await open(fromUri);
        const to = toUri === undefined ? local : await open(toUri);
        try {
          const words = await session.words();
          if (flags.has("all") && words.length > 0) throw new UsageError("'--all' does not expect arguments");
          const roots = flags.has("all")
            ? await offered(from, "listing").queryAllValidPaths()
            : await pathsOf(session, words, {
                realise: fromUri === undefined,
                derivations: flags.has("derivation"),
                realised: from,
                from,
              });
          await requirePaths(from, roots);
          const paths = flags.has("no-recursive") ? roots : await computeClosure(from, roots);
          const copied = await copyPaths(paths, {
            from,
            to,
            checkSignatures: !flags.has("no-check-sigs"),
            substitute: flags.has("substitute-on-destination"),
            events: (event) => session.progress.event(event),
          });
          if (!flags.has("all") && !flags.has("derivation")) {
            for (const realisation of await realisationsOf(session, words, from)) {
              const checkSignatures = !flags.has("no-check-sigs");
              await to.offers.realisations?.registerRealisation(realisation, { checkSignatures });
            }
          }
          session.progress.event({ kind: "message", level: "talkative", text: `copied ${copied.length} paths` });
          await keepCopied(session, to, roots);
          return 0;
        } finally {
          if (from !== local) await from.close();
          if (to !== local) await to.close();
        }
      },
    }),
};

/** Fails with `cannot-substitute` when a store lacks one of the paths, which are not built there. */
async function requirePaths(from: Store, paths: readonly string[]): Promise<void> {
  const valid = await from.queryValidPaths(paths);
  const missing = paths.find((path) => !valid.has(path));
  if (missing !== undefined) throw cannotSubstitute(missing);
}

/** Makes the copied paths roots of the destination, or the next generation of a profile there, as the flags ask. */
async function keepCopied(session: EvaluationSession, to: Store, paths: readonly string[]): Promise<void> {
  const { flags } = session.invocation;
  const { cwd } = session.io;
  const [link, profile] = [flags.value("out-link"), flags.value("profile")];
  const { roots } = to.offers;
  if (profile !== undefined) {
    if (roots === undefined) throw new FirnError("unsupported", "'--profile' is not supported for this Nix store");
    const [path] = paths;
    if (path === undefined || paths.length !== 1) {
      throw new UsageError(
        `'--profile' requires that the arguments produce a single store path, but there are ${paths.length}`,
      );
    }
    await setProfile(roots, resolve(cwd, profile), path);
  }
  if (link === undefined) return;
  if (roots === undefined) throw new FirnError("unsupported", "'--out-link' is not supported for this Nix store");
  for (const [index, path] of paths.entries()) {
    await roots.addPermRoot(path, resolve(cwd, index === 0 ? link : `${link}-${index}`));
  }
}
