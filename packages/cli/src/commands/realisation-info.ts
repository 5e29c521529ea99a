import { derivationKind, FirnError, type JsonValue, wire } from "@firn/formats";
import { DerivationHashes, requireFeature } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags, jsonFlags, stdinFlag } from "../grammar/flags.ts";
import { printJsonResult, printLine } from "../render/output.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathFlags } from "./path-info.ts";

/** `firn realisation info`: shows which paths outputs of derivations were built to. */
export const command: Command = {
  positionals: [{ label: "installables", optional: true, repeats: true }],
  flags: [...pathFlags, ...installableFlags, ...jsonFlags, stdinFlag],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        requireFeature(session.settings, "ca-derivations");
        const { paths, realisations } = await found(session);
        if (invocation.flags.has("json")) {
          const list: JsonValue[] = paths.map((path) => new Map([["opaquePath", path]]));
          printJsonResult(io, [...list, ...realisations.map(wire.realisationToJson)], invocation);
          return 0;
        }
        for (const path of paths) printLine(io, path);
        for (const { id, outPath } of realisations) printLine(io, `${wire.printDrvOutput(id)} ${outPath}`);
        return 0;
      },
    }),
};

/** Returns what the installables name: plain store paths, and realisations of outputs sorted by output. Error `not-built`. */
async function found(session: EvaluationSession): Promise<{ paths: string[]; realisations: wire.Realisation[] }> {
  const store = await session.store();
  const hashes = new DerivationHashes(store);
  const paths = new Set<string>();
  const realisations = new Map<string, wire.Realisation>();
  const { installables } = session;
  for (const target of await installables.targets(installables.parse(await session.words()))) {
    if (target.kind === "path") {
      paths.add(target.path);
      continue;
    }
    const derivation = store.readDerivation(target.drvPath);
    for (const name of target.outputs === "*" ? derivation.outputs.keys() : target.outputs) {
      const id = derivationKind(derivation) === "impure" ? undefined : hashes.outputId(derivation, name);
      const realisation = id === undefined ? undefined : await store.queryRealisation(id);
      if (realisation === undefined) {
        const message = `cannot operate on output '${name}' of the unbuilt derivation '${target.drvPath}'`;
        throw new FirnError("not-built", message);
      }
      realisations.set(wire.printDrvOutput(realisation.id), realisation);
    }
  }
  const sorted = [...realisations].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, realisation]) => realisation);
  return { paths: [...paths].sort(), realisations: sorted };
}
