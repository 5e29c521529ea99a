import { resolve } from "node:path";
import type { Target } from "@firn/flake";
import { compareByteStrings, FirnError, type JsonValue, nestedOutput } from "@firn/formats";
import { builtOutput, type MachineStore } from "@firn/store";
import { setProfile } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { installableFlags, jsonFlags, stdinFlag } from "../grammar/flags.ts";
import { printJsonResult, printLine } from "../render/output.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { type BuiltTarget, buildTargets, makeOutLinks, plannedTargets } from "../targets/build-targets.ts";

/** `firn build`: builds derivations or fetches store paths, and makes a link to them. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [
    ...installableFlags,
    ...jsonFlags,
    stdinFlag,
    { name: "dry-run", description: "Show what this command would do without doing it." },
    { name: "no-link", description: "Do not create symlinks to the build results." },
    {
      name: "out-link",
      short: "o",
      labels: ["path"],
      description: "Use path as prefix for the symlinks to the build results. It defaults to result.",
    },
    { name: "print-out-paths", description: "Print the resulting output paths." },
    {
      name: "rebuild",
      description: "Rebuild an already built package and compare the result to the existing store paths.",
    },
    {
      name: "repair",
      description:
        "During evaluation, rewrite missing or corrupted files in the Nix store. During building, rebuild missing or corrupted store paths.",
    },
    { name: "profile", labels: ["path"], description: "Operate on the profile at path." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const { flags } = invocation;
        const words = await session.words();
        const targets = await session.installables.targets(session.installables.parse(words));
        const dryRun = flags.has("dry-run");
        const mode = flags.has("rebuild") ? "check" : flags.has("repair") ? "repair" : undefined;
        const built = await buildTargets(session, targets, { dryRun, ...(mode === undefined ? {} : { mode }) });
        session.progress.clear();
        // An empty name means no link.
        const link = flags.value("out-link") ?? "result";
        if (!dryRun && !flags.has("no-link") && link !== "") {
          await makeOutLinks(session, resolve(io.cwd, link), built);
        }
        const profile = flags.value("profile");
        if (!dryRun && profile !== undefined) await switchTo(session, resolve(io.cwd, profile), built);
        if (flags.has("json")) {
          const shown = dryRun ? await plannedTargets(session, targets) : built;
          const store = await session.store();
          const results: JsonValue[] = [];
          for (const { target, outputs } of shown) results.push(await resultJson(store, target, outputs));
          printJsonResult(io, results, invocation);
        } else if (flags.has("print-out-paths")) {
          for (const { outputs } of built) {
            for (const [, path] of [...outputs].sort(([a], [b]) => compareByteStrings(a, b))) printLine(io, path);
          }
        }
        return 0;
      },
    }),
};

/** Makes the only built store path the next generation of a profile. */
async function switchTo(session: EvaluationSession, profile: string, built: readonly BuiltTarget[]): Promise<void> {
  const paths = built.flatMap(({ outputs }) => [...outputs.values()]);
  const [path] = paths;
  if (path === undefined || paths.length !== 1) {
    throw new FirnError(
      "usage",
      `'--profile' requires that the arguments produce a single store path, but there are ${paths.length}`,
    );
  }
  await setProfile(await session.store(), profile, path);
}

async function resultJson(
  store: MachineStore,
  target: Target,
  outputs: ReadonlyMap<string, string>,
): Promise<JsonValue> {
  if (target.kind === "path") return outputs.get("out") ?? null;
  return new Map<string, JsonValue>([
    ["drvPath", (await derivationJson(store, target.drvPath)).json],
    ["outputs", outputs],
  ]);
}

/** Returns the JSON of a derivation that may be an output of another one, and its store path when it is built. */
async function derivationJson(
  store: MachineStore,
  drvPath: string,
): Promise<{ readonly json: JsonValue; readonly path: string | undefined }> {
  const nested = nestedOutput(drvPath);
  if (nested === undefined) return { json: drvPath, path: drvPath };
  const outer = await derivationJson(store, nested.drvPath);
  const path = outer.path === undefined ? undefined : await builtOutput(store, outer.path, nested.output);
  const json = new Map<string, JsonValue>([
    ["drvPath", outer.json],
    ["output", nested.output],
    ["outputPath", path ?? null],
  ]);
  return { json, path };
}
