import { resolve } from "node:path";
import { appLookup, bundlerLookup, parseInstallable } from "@firn/flake";
import { FirnError } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { installableFlags } from "../grammar/flags.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** The bundler when none is named. */
const defaultBundler = "github:NixOS/bundlers";

/** `firn bundle`: makes a file of a program that works without a store. */
export const command: Command = {
  positionals: [{ label: "installable", kind: "installable", optional: true }],
  flags: [
    ...installableFlags,
    {
      name: "bundler",
      labels: ["flake-url"],
      kinds: ["flake"],
      description: `Use a custom bundler instead of the default (${defaultBundler}).`,
    },
    {
      name: "out-link",
      short: "o",
      labels: ["path"],
      kinds: ["path"],
      description: "Override the name of the symlink to the build result. It defaults to the base name of the app.",
    },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const { flags } = invocation;
        const store = await session.store();
        const word = flags.value("bundler") ?? defaultBundler;
        const context = { storeDir: store.storeDir, attributes: false, baseDirectory: io.cwd, warn: () => undefined };
        const bundler = await session.installables.find(parseInstallable(word, context), bundlerLookup(session.system));
        const [installable] = session.installables.parse(invocation.positionals);
        if (installable === undefined) throw new FirnError("internal", "there is no installable");
        const { value } = await session.installables.find(installable, appLookup(session.system));
        const facts = await (await bundler.value.call(value)).derivation();
        if (facts === undefined) {
          throw new FirnError("not-a-derivation", `the bundler '${word}' does not produce a derivation`);
        }
        const { drvPath, outputName, name } = facts;
        const [built] = await session.builder.build([{ kind: "built", drvPath, outputs: [outputName] }]);
        const path = built?.outputs.get(outputName);
        if (path === undefined) throw new FirnError("no-output", `'${drvPath}' has no output '${outputName}'`);
        session.progress.clear();
        await store.addPermRoot(path, resolve(io.cwd, flags.value("out-link") ?? name));
        return 0;
      },
    }),
};
