import { FirnError } from "@firn/formats";
import { settingNamed } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { jsonFlags } from "../grammar/flags.ts";
import { printJsonResult, printLine } from "../render/output.ts";
import { withSession } from "../session/session.ts";

/** `firn config show`: prints all settings, or the value of one. */
export const command: Command = {
  positionals: [{ label: "name", optional: true }],
  flags: jsonFlags,
  run: (invocation, io) =>
    withSession(invocation, io, async ({ settings }) => {
      const [wanted] = invocation.positionals;
      if (wanted !== undefined) {
        if (invocation.flags.has("json")) {
          throw new FirnError("usage", "'--json' is not supported when specifying a setting name");
        }
        const name = settingNamed(wanted);
        if (name === undefined) throw new FirnError("unknown-setting", `could not find setting '${wanted}'`);
        printLine(io, settings.textOf(name));
      } else if (invocation.flags.has("json")) {
        const entries = settings.entries().map(([name, value]) => [name, new Map([["value", value]])] as const);
        printJsonResult(io, new Map(entries), invocation);
      } else {
        for (const [name, value] of settings.entries()) printLine(io, `${name} = ${value}`);
      }
      return 0;
    }),
};
