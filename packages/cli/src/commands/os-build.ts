import type { OsConfiguration } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { buildConfiguration, linkResult, reportResult } from "../systems/build.ts";
import { chooseConfiguration, configurationFlags, configurationNeeds } from "../systems/configuration.ts";
import { buildHostFlag, useSubstitutesFlag } from "../systems/other-hosts.ts";
import { upgradeChannels, upgradeFlags } from "../systems/upgrade.ts";

/** `firn os build`: builds a system and makes a link to it. */
export const command: Command = {
  positionals: [{ label: "configuration", optional: true }],
  flags: [
    ...configurationFlags,
    ...upgradeFlags,
    buildHostFlag,
    useSubstitutesFlag,
    { name: "dry-run", description: "As 'firn os dry-build'." },
    { name: "no-link", description: "Do not create a symlink to the system." },
    { name: "out-link", short: "o", labels: ["path"], description: "Where to put the symlink. It defaults to result." },
  ],
  run(invocation, io) {
    const configuration = chooseConfiguration(invocation, io, invocation.positionals[0]);
    return withEvaluation(invocation, io, {
      needs: configurationNeeds(configuration),
      body: async (session) => {
        await upgradeChannels(session, configuration);
        if (invocation.flags.has("dry-run")) return planOnly(session, configuration);
        const { path, built } = await buildConfiguration(session, configuration);
        await linkResult(session, built);
        reportResult(io, "Done. The new configuration is", path);
        return 0;
      },
    });
  },
};

/** `firn os dry-build`: shows the derivations and paths that would be built and fetched. */
export const dryBuild: Command = {
  positionals: [{ label: "configuration", optional: true }],
  flags: configurationFlags,
  run(invocation, io) {
    const configuration = chooseConfiguration(invocation, io, invocation.positionals[0]);
    return withEvaluation(invocation, io, {
      needs: configurationNeeds(configuration),
      body: (session) => planOnly(session, configuration),
    });
  },
};

async function planOnly(session: EvaluationSession, configuration: OsConfiguration): Promise<number> {
  const { drvPath } = await buildConfiguration(session, configuration, { dryRun: true });
  reportResult(session.io, "The system is the output of", drvPath);
  return 0;
}
