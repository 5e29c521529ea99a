/** `firn repl` from its start to its end. */
import { constants } from "node:os";
import { notAValue, showInstallable, type ValueRef } from "@firn/flake";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { replSessionOf } from "./repl-session.ts";

const endings = ["SIGTERM", "SIGHUP"] as const;

/** A value whose attributes become variables of the repl. */
export interface LoadedValue {
  /** The name shown when it is loaded. */
  readonly what: string;
  readonly value: ValueRef;
}

/**
 * Runs the repl until its end; resolves to the exit status. `values` gives what is loaded at the start and with `:r`; by default that are
 * the installables of the command line.
 */
export async function runRepl(session: EvaluationSession, values = installablesOf): Promise<number> {
  const replSession = replSessionOf(session);
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
    const repl = await replSession.repl(() => values(session));
    replSession.greet();
    await repl.start([]);
    await replSession.serve(repl, { stopped: false });
    return 0;
  } finally {
    replSession.close();
    process.off("SIGINT", interrupt);
    for (const signal of endings) process.off(signal, leave);
  }
}

/** Returns the values of the command line's installables; with `--file` or `--expr` the whole value when none is named. */
async function installablesOf(session: EvaluationSession): Promise<LoadedValue[]> {
  const { flags } = session.invocation;
  const words = await session.words();
  if (words.length === 0 && !flags.has("file") && !flags.has("expr")) return [];
  const evaluation = await session.evaluation();
  evaluation.forgetFlakes();
  session.installables.forgetRoot();
  const values: LoadedValue[] = [];
  for (const installable of session.installables.parse(words)) {
    if (installable.kind === "store-path") {
      throw notAValue(installable.path);
    }
    const lookup = { defaults: [""], prefixes: [`packages.${session.system}.`, `legacyPackages.${session.system}.`] };
    const { value } = await session.installables.find(installable, lookup);
    values.push({ what: showInstallable(installable, lookup), value });
  }
  return values;
}
