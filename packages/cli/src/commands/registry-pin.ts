import { resolve } from "node:path";
import { readRegistryFile, sameInput, writeRegistryFile } from "@firn/fetch";
import { fetchRef, flakeRefToAttributes, parseFlakeRef, userRegistryPath } from "@firn/flake";
import type { Command } from "../grammar/command.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn registry pin`: fixes a name to its present meaning. */
export const command: Command = {
  positionals: [{ label: "url" }, { label: "locked", optional: true }],
  flags: [
    { name: "registry", labels: ["registry"], description: "The registry to operate on; default is the user's." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const [name = "", target = name] = invocation.positionals;
        const { context } = await session.evaluation();
        const { lockedRef } = await fetchRef(context, parseFlakeRef(target), "all");
        const from = flakeRefToAttributes(parseFlakeRef(name));
        const registry = invocation.flags.value("registry");
        const file = registry === undefined ? userRegistryPath(io.env) : resolve(io.cwd, registry);
        const others = readRegistryFile("user", file).entries.filter((entry) => !sameInput(entry.from, from));
        writeRegistryFile(file, [...others, { from, to: flakeRefToAttributes(lockedRef), exact: false }]);
        return 0;
      },
    }),
};
