import { resolve } from "node:path";
import { earlierGeneration, otherGeneration } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { withSession } from "../session/session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { buildConfiguration, reportResult } from "../systems/build.ts";
import { chooseConfiguration, configurationFlags, configurationNeeds } from "../systems/configuration.ts";
import { buildHostFlag } from "../systems/other-hosts.ts";
import { storePathOf, systemProfile } from "../systems/profiles.ts";
import { keepWithGeneration, sourceOf } from "../systems/source.ts";
import { switchFlags, switchTo } from "../systems/switch.ts";
import type { Back, SwitchAction } from "../systems/switch-target.ts";
import { upgradeChannels, upgradeFlags } from "../systems/upgrade.ts";

const done = "Done. The new configuration is";

/** `firn os switch`, `boot`, `test` and `dry-activate`: build a system, then make it the running or the next one. */
function switchCommand(action: SwitchAction): Command {
  return {
    positionals: [{ label: "configuration", optional: true }],
    flags: [
      ...configurationFlags,
      ...switchFlags,
      ...upgradeFlags,
      buildHostFlag,
      { name: "store-path", labels: ["path"], description: "Use a built system instead of building a configuration." },
      { name: "rollback", description: "Use the previous generation instead of building a configuration." },
    ],
    run(invocation, io) {
      const { flags, positionals } = invocation;
      const builtPath = flags.value("store-path");
      const named = positionals.length > 0 || ["flake", "file", "attr"].some((name) => flags.has(name));
      if (builtPath !== undefined || flags.has("rollback")) {
        if (builtPath !== undefined && flags.has("rollback")) {
          throw new UsageError("--store-path and --rollback are mutually exclusive");
        }
        if (named) throw new UsageError("--store-path and --rollback do not build a configuration, but one was named");
        return withSession(invocation, io, async (session) => {
          const store = await session.store();
          const back = builtPath === undefined ? previous(await systemProfile(session), action) : undefined;
          const path = storePathOf(store, back?.link ?? resolve(io.cwd, builtPath ?? ""));
          const status = await switchTo(session, { path, action, ...(back === undefined ? {} : { back }) });
          if (status === 0) reportResult(io, done, back?.via ?? back?.link ?? path);
          return status;
        });
      }
      const configuration = chooseConfiguration(invocation, io, positionals[0]);
      return withEvaluation(invocation, io, {
        needs: configurationNeeds(configuration),
        body: async (session) => {
          await upgradeChannels(session, configuration);
          const built = await buildConfiguration(session, configuration);
          const { path } = built;
          const kept = (action === "switch" || action === "boot") && !flags.has("target-host");
          // The files may change while the machine is switched.
          const source = kept ? await sourceOf(session, configuration, built) : undefined;
          const status = await switchTo(session, { path, action });
          if (status === 0) await keepWithGeneration(session, path, source);
          if (status === 0) reportResult(io, done, path);
          return status;
        },
      });
    },
  };
}

/** Returns the generation to go back to: for lasting actions the one before the current, else the one that nixos-rebuild takes. */
function previous(profile: string, action: SwitchAction): Back {
  if (action === "test" || action === "dry-activate") return { ...otherGeneration(profile) };
  return { ...earlierGeneration(profile), via: profile };
}

/** `firn os rollback`: goes back to the previous generation, or to one by its number. */
export const rollback: Command = {
  positionals: [],
  flags: [
    ...switchFlags,
    { name: "to", labels: ["generation"], description: "The generation to go back to." },
    { name: "boot", description: "Go back at the next start only." },
  ],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      const { flags } = invocation;
      const profile = await systemProfile(session);
      const to = flags.value("to");
      if (to !== undefined && !/^\d{1,9}$/.test(to)) throw new UsageError(`'${to}' is not the number of a generation`);
      const generation = earlierGeneration(profile, to === undefined ? undefined : Number(to));
      const path = storePathOf(await session.store(), generation.link);
      const action = flags.has("boot") ? "boot" : "switch";
      const status = await switchTo(session, { path, action, back: { ...generation, via: profile } });
      if (status === 0) reportResult(io, done, path);
      return status;
    }),
};

/** `firn os switch`: makes a system the running one and the next to boot. */
export const command: Command = switchCommand("switch");
/** `firn os boot`: makes a system the next to boot. */
export const boot: Command = switchCommand("boot");
/** `firn os test`: makes a system the running one. */
export const test: Command = switchCommand("test");
/** `firn os dry-activate`: shows the changes that activating a system would make. */
export const dryActivate: Command = switchCommand("dry-activate");
