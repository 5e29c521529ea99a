import { join, resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { existsSync, statSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { buildConfiguration, reportResult } from "../systems/build.ts";
import { chooseConfiguration, configurationFlags, configurationNeeds } from "../systems/configuration.ts";
import { firnSystem, installBelow } from "../systems/install.ts";
import { storePathOf } from "../systems/profiles.ts";
import { sourceOf } from "../systems/source.ts";

/** `firn os install`: installs a system into a directory where the file systems of the new machine are mounted. */
export const command: Command = {
  positionals: [{ label: "configuration", optional: true }],
  flags: [
    ...configurationFlags,
    {
      name: "root",
      labels: ["directory"],
      description: "Where the new machine's file systems are mounted. It defaults to /mnt.",
    },
    { name: "system", labels: ["path"], description: "Install a built system instead of building a configuration." },
  ],
  run(invocation, io) {
    const { flags, positionals } = invocation;
    const built = flags.value("system");
    if (built !== undefined && positionals.length > 0) {
      throw new UsageError("--system does not build a configuration, but one was named");
    }
    const root = resolve(io.cwd, flags.value("root") ?? "/mnt");
    const module = join(root, "etc/nixos/configuration.nix");
    const word =
      positionals[0] ?? (flags.has("flake") || flags.has("file") || !existsSync(module) ? undefined : module);
    const configuration = built === undefined ? chooseConfiguration(invocation, io, word) : undefined;
    return withEvaluation(invocation, io, {
      needs: configuration === undefined ? { impure: false } : configurationNeeds(configuration),
      body: async (session) => {
        if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
          throw new FirnError("install", `the directory '${root}' does not exist`, {
            hint: "mount the new machine's root file system there, and its EFI partition below it",
          });
        }
        const store = await session.store();
        const made = configuration === undefined ? undefined : await buildConfiguration(session, configuration);
        const path = made?.path ?? storePathOf(store, resolve(io.cwd, built ?? ""));
        await firnSystem(session, path);
        const source =
          configuration === undefined || made === undefined ? undefined : await sourceOf(session, configuration, made);
        await installBelow(session, { system: path, source }, root);
        reportResult(io, "Done. The installed system is", path);
        return 0;
      },
    });
  },
};
