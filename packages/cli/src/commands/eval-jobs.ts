import { join, resolve } from "node:path";
import { type Evaluation, type FoundJob, findJobs, type JobSource } from "@firn/flake";
import { FirnError, type JsonValue, parseJson, printedBytes, printJson, storePathBaseName } from "@firn/formats";
import { type MachineStore, openSubstituters, type Store } from "@firn/store";
import { mkdirSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { installableFlags } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { renderError } from "../render/error.ts";
import { printLine } from "../render/output.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn eval-jobs`: evaluates the derivations in a value and prints a line of JSON for each (interface of nix-eval-jobs). */
export const command: Command = {
  positionals: [{ label: "installable", kind: "installable", optional: true }],
  flags: [
    ...installableFlags,
    {
      name: "flake",
      labels: ["flake-url"],
      kinds: ["flake"],
      description: "Evaluate the outputs of a flake, as the argument does.",
    },
    { name: "workers", labels: ["number"], description: "Number of evaluations at a time. It defaults to 1." },
    {
      name: "max-memory-size",
      labels: ["mib"],
      description: "Memory in MiB for each evaluation, after which it begins anew. It defaults to 4096.",
    },
    { name: "force-recurse", description: "Enter all attribute sets, also those without recurseForDerivations." },
    {
      name: "gc-roots-dir",
      labels: ["directory"],
      kinds: ["path"],
      description: "Keep each derivation alive by a link in the directory.",
    },
    { name: "meta", description: "Tell the derivation's meta attributes too." },
    { name: "show-input-drvs", description: "Tell the derivations that each one depends on directly." },
    { name: "check-cache-status", description: "Tell whether outputs are here, in a substituter, or are to be built." },
    { name: "select", labels: ["expr"], description: "Apply the function expr to the value before looking for jobs." },
    { name: "apply", labels: ["expr"], description: "Apply the function expr to each derivation and tell the result." },
    { name: "no-instantiate", description: "Do not write derivations to the store." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: invocation.flags.has("no-instantiate") },
      async body(session) {
        const { flags, positionals } = invocation;
        const words = [...positionals, ...flags.all("flake").map(([word = ""]) => word)];
        if (words.length > 1) throw new UsageError("only one installable can be searched for jobs");
        const memory = numberOf(flags.value("max-memory-size") ?? "4096", "--max-memory-size");
        const store = await session.store();
        const roots = flags.has("no-instantiate") ? undefined : flags.value("gc-roots-dir");
        const rootsDirectory = roots === undefined ? undefined : resolve(io.cwd, roots);
        if (rootsDirectory !== undefined) mkdirSync(rootsDirectory, { recursive: true });
        const select = flags.value("select");
        const sources: (JobSource | undefined)[] = [];
        const substituters = flags.has("check-cache-status")
          ? await openSubstituters({ settings: session.settings, environment: io.env, events: session.progress.event })
          : undefined;
        const telling: Telling = {
          store,
          substituters,
          directory: io.cwd,
          meta: flags.has("meta"),
          inputs: flags.has("show-input-drvs"),
          apply: flags.value("apply"),
          showTrace: session.settings.get("show-trace"),
        };
        try {
          await findJobs({
            workers: numberOf(flags.value("workers") ?? "1", "--workers"),
            entersAll: flags.has("force-recurse"),
            async source(worker) {
              const present = sources[worker];
              const open = sources.filter((source) => source !== undefined).length;
              // All threads are one process; each is begun anew when they take more than all of them may.
              if (present !== undefined && process.memoryUsage.rss() < memory * open * mebibyte) return present;
              await present?.evaluation.close();
              sources[worker] = undefined;
              const source = await openSource(session, words, { select, directory: io.cwd });
              sources[worker] = source;
              return source;
            },
            async found(job, evaluation) {
              const text = printJson(await told(job, evaluation, telling));
              if (job.kind === "job" && rootsDirectory !== undefined) {
                const { drvPath } = job.facts;
                await store.addPermRoot(drvPath, join(rootsDirectory, storePathBaseName(drvPath)));
              }
              session.progress.clear();
              printLine(io, text);
              await io.drained?.();
            },
          });
          return 0;
        } finally {
          for (const substituter of substituters ?? []) await substituter.close();
        }
      },
    }),
};

const mebibyte = 1 << 20;

function numberOf(text: string, flag: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value > 0) return value;
  throw new UsageError(`${flag} takes a number above 0, not '${text}'`);
}

/** Opens an evaluation of its own with the value that has the jobs. */
async function openSource(
  session: EvaluationSession,
  words: readonly string[],
  { select, directory }: { readonly select: string | undefined; readonly directory: string },
): Promise<JobSource> {
  const { evaluation, installables } = await session.separate();
  const [installable] = installables.parse(words);
  if (installable === undefined) throw new UsageError("more arguments are required");
  const lookup = { callResult: false, defaults: ["hydraJobs", "checks", "packages"], prefixes: [] };
  const autoArguments = await installables.autoArguments();
  let root = await (await installables.find(installable, lookup)).value.autoCall(autoArguments);
  if (select !== undefined) {
    const callee = await evaluation.evaluator.evaluate({ kind: "string", text: select, directory });
    root = await callee.call(root);
  }
  return { evaluation, root, autoArguments };
}

/** The facts of a job that are told. */
interface Telling {
  readonly store: MachineStore;
  /** The substituters to ask for outputs; undefined when where they are is not told. */
  readonly substituters: readonly Store[] | undefined;
  /** The directory of expressions that are given as text. */
  readonly directory: string;
  readonly meta: boolean;
  readonly inputs: boolean;
  readonly apply: string | undefined;
  readonly showTrace: boolean;
}

type Members = [name: string, value: JsonValue][];

/** Returns the facts of a job, or of the failure in its place, in the order of their names. */
async function told(job: FoundJob, evaluation: Evaluation, telling: Telling): Promise<JsonValue> {
  const members: Members = [
    ["attr", job.path.map((name) => (name.includes(".") ? `"${name}"` : name)).join(".")],
    ["attrPath", [...job.path]],
  ];
  const failure = (error: FirnError): Members => [
    ["error", asBytes(renderError(error, { showTrace: telling.showTrace, colors: false }))],
    ["fatal", false],
  ];
  if (job.kind === "failure") return sorted([...members, ...failure(job.error)]);
  try {
    return sorted([...members, ...(await factsOf(job, evaluation, telling))]);
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    return sorted([...members, ...failure(error)]);
  }
}

/** Returns a text to print as a byte string. */
function asBytes(text: string): string {
  return Buffer.from(printedBytes(text)).toString("latin1");
}

function sorted(members: Members): JsonValue {
  return new Map(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function factsOf(
  { value, facts }: FoundJob & { readonly kind: "job" },
  { evaluator }: Evaluation,
  { store, substituters, directory, meta, inputs, apply }: Telling,
): Promise<Members> {
  const { drvPath, name, outputs } = facts;
  const members: Members = [
    ["drvPath", drvPath],
    ["name", name],
    ["outputs", new Map(outputs.map((output) => [output.name, output.path ?? null]))],
    ["system", facts.system ?? ""],
  ];
  if (meta) {
    const found = await value.attribute("meta");
    members.push(["meta", found === undefined ? null : parseJson(await found.print({ kind: "json" }))]);
  }
  if (inputs) {
    const { inputDrvs } = store.readDerivation(drvPath);
    members.push(["inputDrvs", new Map([...inputDrvs].map(([path, input]) => [path, [...input.outputs]]))]);
  }
  if (substituters !== undefined) {
    const paths = outputs.map(({ path }) => path);
    const status = await cacheStatus(paths, store, substituters);
    members.push(["cacheStatus", status], ["isCached", status !== "notBuilt"]);
  }
  if (apply !== undefined) {
    const callee = await evaluator.evaluate({ kind: "string", text: apply, directory });
    members.push(["extraValue", parseJson(await (await callee.call(value)).print({ kind: "json" }))]);
  }
  return members;
}

/** Tells where all outputs are: in the store, in a substituter, or nowhere. */
async function cacheStatus(
  paths: readonly (string | undefined)[],
  store: MachineStore,
  substituters: readonly Store[],
): Promise<"local" | "cached" | "notBuilt"> {
  const known = paths.filter((path) => path !== undefined);
  if (known.length < paths.length) return "notBuilt";
  const local = await store.queryValidPaths(known);
  if (local.size === known.length) return "local";
  for (const path of known) {
    if (local.has(path)) continue;
    const found = await Promise.all(substituters.map((substituter) => substituter.isValidPath(path)));
    if (!found.includes(true)) return "notBuilt";
  }
  return "cached";
}
