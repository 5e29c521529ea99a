import { type Argument, type Found, showFlakeRef } from "@firn/flake";
import { readFileSync } from "@firn/store/files";
import type { OsConfiguration } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { type LoadedValue, runRepl } from "../repl/run.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { chooseConfiguration, configurationFlags, findInConfiguration } from "../systems/configuration.ts";

/** `firn os repl`: evaluates expressions with a configuration's values and options. */
export const command: Command = {
  positionals: [{ label: "configuration", optional: true }],
  flags: configurationFlags,
  run(invocation, io) {
    const configuration = chooseConfiguration(invocation, io, invocation.positionals[0]);
    return withEvaluation(invocation, io, {
      needs: { impure: true, handlesInterrupts: true },
      body: (session) => runRepl(session, async () => [await scopeOf(session, configuration)]),
    });
  },
};

/** The variables, as a function of the configuration. */
const scope = new URL("./os-repl.nix", import.meta.url);

async function scopeOf(session: EvaluationSession, configuration: OsConfiguration): Promise<LoadedValue> {
  const evaluation = await session.evaluation();
  evaluation.forgetFlakes();
  session.installables.forgetRoot();
  const found = await findInConfiguration(session, configuration, "");
  const more: Record<string, Argument> =
    found.locked === undefined ? {} : { flake: (await evaluation.flake(found.locked.flake.originalRef)).value };
  const make = await evaluation.root({ kind: "expression", text: readFileSync(scope, "latin1") });
  const value = await make.call({ attrs: { configuration: found.value, more: { attrs: more } } });
  return { what: nameOf(configuration, found), value };
}

function nameOf(configuration: OsConfiguration, { locked, attrPath }: Found): string {
  switch (configuration.kind) {
    case "flake":
      return locked === undefined ? attrPath : `${showFlakeRef(locked.flake.originalRef)}#${attrPath}`;
    case "search-path":
      return `<${configuration.name}>`;
    case "file":
    case "module":
      return configuration.path;
  }
}
