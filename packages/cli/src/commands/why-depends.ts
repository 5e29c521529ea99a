import { packageLookup, showInstallable } from "@firn/flake";
import { diskTree, pathsLeadingTo } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags } from "../grammar/flags.ts";
import { printLine } from "../render/output.ts";
import { printWhyTree } from "../render/why-tree.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathsOf } from "../targets/store-targets.ts";

/** `firn why-depends`: shows the chains of references from one path to another. */
export const command: Command = {
  positionals: [
    { label: "package", kind: "installable" },
    { label: "dependency", kind: "installable" },
  ],
  flags: [
    ...installableFlags,
    { name: "derivation", aliases: ["drv"], description: "Operate on the store derivation rather than its outputs." },
    {
      name: "all",
      short: "a",
      description:
        "Show all edges in the dependency graph leading from package to dependency, rather than just a shortest path.",
    },
    {
      name: "precise",
      description: "For each edge in the dependency graph, show the files in the parent that cause the dependency.",
    },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const { flags } = invocation;
        const [packageWord = "", dependency = ""] = invocation.positionals;
        const derivations = flags.has("derivation");
        const store = await session.store();
        /** A word as messages name it: an installable that may be of several outputs by its own words. */
        const shown = (word: string): string => {
          const [installable] = session.installables.parse([word]);
          return installable === undefined ? word : showInstallable(installable, packageLookup(session.system));
        };
        const [from = ""] = await pathsOf(session, [packageWord], { realise: !derivations, derivations });
        const [to] = await pathsOf(session, [dependency], { realise: false, derivations });
        session.progress.clear();
        // What was never built is no dependency.
        const leading = to === undefined ? undefined : await pathsLeadingTo(store, from, to);
        if (to === undefined || leading === undefined || leading.size === 0) {
          const text = `'${shown(packageWord)}' does not depend on '${shown(dependency)}'`;
          session.progress.event({ kind: "message", level: "error", text });
          return 0;
        }
        printWhyTree({
          from,
          to,
          leading,
          all: flags.has("all"),
          line: (text) => printLine(io, text),
          ...(flags.has("precise") ? { filesOf: (path) => diskTree(store.realPath(path)) } : {}),
        });
        return 0;
      },
    }),
};
