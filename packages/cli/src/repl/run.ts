/** `firn repl` from its start to its end. */
import { constants } from "node:os";
import { type Handle, showFlakeRef } from "@firn/flake";
import { byteStringOf, FirnError } from "@firn/formats";
import type { EvaluationSession } from "../evaluation-session.ts";
import { deskOf } from "./desk.ts";

const endings = ["SIGTERM", "SIGHUP"] as const;

/** Runs the repl until its end; gives the exit status. */
export async function runRepl(session: EvaluationSession): Promise<number> {
  const desk = deskOf(session);
  const interrupt = (): void => session.interruptWork();
  // Builds end by themselves and clean up.
  const leave = (signal: NodeJS.Signals): void => {
    session.interruptWork();
    setInterval(() => {
      if (!session.builder.busy) process.exit(128 + constants.signals[signal]);
    }, 20);
  };
  process.on("SIGINT", interrupt);
  for (const signal of endings) process.on(signal, leave);
  try {
    const repl = await desk.repl(() => installablesOf(session));
    desk.greet();
    await repl.start([]);
    await desk.serve(repl, { stopped: false });
    return 0;
  } finally {
    desk.close();
    process.off("SIGINT", interrupt);
    for (const signal of endings) process.off(signal, leave);
  }
}

/** The values of the command line's installables; with `--file` or `--expr` the whole value when none is named. */
async function installablesOf(session: EvaluationSession): Promise<{ what: string; value: Handle }[]> {
  const { flags } = session.invocation;
  const words = await session.words();
  if (words.length === 0 && !flags.has("file") && !flags.has("expr")) return [];
  const evaluation = await session.evaluation();
  evaluation.forgetFlakes();
  session.forgetRoot();
  const values: { what: string; value: Handle }[] = [];
  for (const installable of session.installables(words)) {
    if (installable.kind === "store-path") {
      throw new FirnError("usage", `'${installable.path}' is a store path, not a value`);
    }
    const what =
      installable.kind === "attribute" ? installable.path : `${showFlakeRef(installable.ref)}#${installable.fragment}`;
    const lookup = { defaults: [""], prefixes: [`packages.${session.system}.`, `legacyPackages.${session.system}.`] };
    const { value } = await session.find(installable, lookup);
    values.push({ what: byteStringOf(what), value });
  }
  return values;
}
