/**
 * Kept answers beside fresh evaluations, on a generated project that is edited at random. Evaluations run in this thread, without a
 * store; the project may also be a tree that is read where it lies, with all of its files or those of a list.
 */
import { hash } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadSettings } from "@firn/store";
import { hostConfig } from "../../packages/flake/src/evaluator/host-config.ts";
import { createOfflineServices, hashTree } from "../../packages/flake/src/evaluator/offline-services.ts";
import { openSession } from "../../packages/flake/src/evaluator/open-session.ts";
import { keptPaths, type PlacedTree, type TreeFacts } from "../../packages/flake/src/evaluator/placed-trees.ts";
import type { Request } from "../../packages/flake/src/evaluator/protocol.ts";
import { ReadRecorder } from "../../packages/flake/src/evaluator/read-recorder.ts";
import type { TreeRead } from "../../packages/flake/src/evaluator/reads.ts";
import type { EvaluatorSession } from "../../packages/flake/src/evaluator/session.ts";
import { KeptResults } from "../../packages/flake/src/results/kept-results.ts";
import { makeFixedOutputPath } from "../../packages/formats/src/index.ts";
import { randomFrom } from "../../scripts/random.ts";

/** Figures of a comparison. */
export interface Comparison {
  /** Number of edits after which the kept answer was used. */
  readonly used: number;
  /** The edits after which it differs from a fresh one, with both. */
  readonly wrong: readonly string[];
}

/** Age in milliseconds from which files count as settled here; each edit is that old before anything is read. */
const settledAfter = 15;

const root = `
let
  listed = builtins.readDir ./dir;
  linked = import ./link;
  text = builtins.readFile ./dir/text;
in {
  number = import ./a.nix + (import ./lib).number;
  inherit text listed;
  linked = linked.value or 0;
  there = builtins.pathExists ./apart/maybe;
  type = if builtins.pathExists ./apart/maybe then builtins.readFileType ./apart/maybe else "none";
  variable = if builtins.getEnv "CHOICE" == "deep" then builtins.getEnv "DEEP" else "shallow";
  source = "\${./src}";
  filtered = builtins.filterSource (path: type: type != "symlink" && baseNameOf path != "ignored") ./filtered;
  hashed = builtins.hashFile "sha256" ./dir/text;
  place = toString ./dir;
}`;

type Variables = Record<string, string>;

function layOut(directory: string): void {
  const write = (path: string, text: string): void => fs.writeFileSync(join(directory, path), text);
  for (const path of ["dir", "apart", "filtered", "lib", "one", "two", "src/sub"])
    fs.mkdirSync(join(directory, path), { recursive: true });
  write("default.nix", root);
  write("a.nix", "1");
  write("lib/default.nix", "{ number = import ./n.nix; }");
  write("lib/n.nix", "10");
  write("dir/text", "text");
  write("one/default.nix", "{ value = import ./v.nix; }");
  write("one/v.nix", "1");
  write("two/default.nix", "{ value = import ./v.nix; }");
  write("two/v.nix", "2");
  write("src/file", "file");
  write("filtered/file", "file");
  write("filtered/ignored", "ignored");
  write("src/sub/file", "below");
  fs.symlinkSync("one", join(directory, "link"));
}

/** Changes one thing at random, and returns in words what. */
function edit(directory: string, variables: Variables, random: () => number): string {
  const below = (path: string): string => join(directory, path);
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const number = (): string => String(10 + Math.floor(random() * 90));
  const edits: readonly (() => string)[] = [
    () => {
      const path = pick([
        "a.nix",
        "lib/n.nix",
        "one/v.nix",
        "two/v.nix",
        "dir/text",
        "src/file",
        "src/sub/file",
        "filtered/file",
        "filtered/ignored",
      ]);
      const { atime, mtime } = fs.statSync(below(path));
      fs.writeFileSync(below(path), number());
      if (random() < 0.5) fs.utimesSync(below(path), atime, mtime);
      return `write ${path}`;
    },
    () => {
      const path = pick(["a.nix", "one/v.nix", "dir/text", "src/file"]);
      fs.writeFileSync(below("new"), random() < 0.5 ? fs.readFileSync(below(path)) : number());
      fs.renameSync(below("new"), below(path));
      return `replace ${path}`;
    },
    () => {
      fs.rmSync(below("apart/maybe"), { recursive: true, force: true });
      const kind = pick(["none", "file", "directory", "link"]);
      if (kind === "file") fs.writeFileSync(below("apart/maybe"), "");
      else if (kind === "directory") fs.mkdirSync(below("apart/maybe"));
      else if (kind === "link") fs.symlinkSync(pick(["maybe", "nowhere"]), below("apart/maybe"));
      return `make apart/maybe ${kind}`;
    },
    () => {
      fs.unlinkSync(below("link"));
      const target = pick(["one", "two", "./one", `${directory}/two`]);
      fs.symlinkSync(target, below("link"));
      return `link ${target}`;
    },
    () => {
      const name = pick(["CHOICE", "DEEP", "OTHER"]);
      variables[name] = pick(["deep", "", number()]);
      return `set ${name} to '${variables[name]}'`;
    },
    () => {
      const path = pick(["src/extra", "src/sub/extra", "filtered/extra", "dir/extra", "unseen"]);
      if (fs.existsSync(below(path))) fs.unlinkSync(below(path));
      else fs.writeFileSync(below(path), number());
      return `toggle ${path}`;
    },
    () => {
      const path = pick(["src/file", "src/sub/file"]);
      fs.chmodSync(below(path), pick([0o644, 0o755, 0o600]));
      return `chmod ${path}`;
    },
    () => {
      fs.renameSync(below("one"), below("three"));
      fs.renameSync(below("two"), below("one"));
      fs.renameSync(below("three"), below("two"));
      return "exchange one and two";
    },
    () => "nothing",
    () => "nothing",
  ];
  return pick(edits)();
}

/** Returns the files below a directory that belong to a tree with a list; the others are as good as untracked. */
function listed(directory: string, relative = ""): string[] {
  return fs.readdirSync(join(directory, relative), { withFileTypes: true }).flatMap((entry) => {
    const path = join(relative, entry.name);
    if (entry.isDirectory()) return listed(directory, path);
    return entry.name === "extra" || entry.name === "unseen" ? [] : [path];
  });
}

/** Options of a comparison. */
export interface ComparisonOptions {
  readonly seed: number;
  readonly edits: number;
  /** Set when the project is a tree that is read where it lies: all of it, or the files of a list. */
  readonly inPlace?: "whole" | "listed";
}

/** Compares kept with fresh answers after each of some random edits. Errors of evaluations are answers too. */
export async function compareEdits(directory: string, options: ComparisonOptions): Promise<Comparison> {
  const { inPlace } = options;
  const storeDir = inPlace === undefined ? "/nix/store" : join(directory, "store");
  const random = randomFrom(options.seed);
  const variables: Variables = {};
  const project = join(directory, "project");
  layOut(project);
  const file = join(directory, "results.sqlite");
  const wrong: string[] = [];
  let used = 0;

  const configure = () => {
    const plain = { HOME: "/nowhere", FIRN_CODE_CACHE: "", NIX_STORE_DIR: storeDir };
    const environment = { NIX_CONFIG: inPlace === undefined ? "" : "pure-eval = true", ...plain, ...variables };
    return hostConfig(loadSettings(environment), { environment, cwd: directory }, { includes: [], readOnly: true });
  };
  let root = project;
  let tree: PlacedTree | undefined;
  /** Finds the tree as it is now. */
  const locate = (): void => {
    if (inPlace === undefined) return;
    const fileList = inPlace === "whole" ? undefined : listed(project).join("\0");
    const digest = hash("sha256", fileList ?? "", "hex");
    root = `${storeDir}/e${digest.slice(0, 31)}-source`;
    tree = { directory: project, isRevision: false, since: 0, ...(fileList === undefined ? {} : { fileList }) };
  };
  const pathOf = ({ path, name, method, include }: TreeRead): string => {
    const kept = include && new Set(include);
    const target = { name, storeDir, references: { others: [], self: false } };
    return makeFixedOutputPath(
      { method, hash: hashTree(path, method, kept && ((entry) => kept.has(entry.slice(path.length)))) },
      target,
    );
  };
  /** Copies the tree to the store, as far as it is asked for. */
  const obtain = (): TreeFacts => {
    const include = tree?.fileList && [...keptPaths(tree.fileList.split("\0"))].map((path) => `/${path}`).sort();
    const read = { path: project, name: "source", method: "nar" as const, references: [], storePath: "" };
    const wanted: TreeRead = include ? { ...read, include, isListed: true } : read;
    const storePath = pathOf(wanted);
    const kept = include && new Set(include);
    const filter = (file: string): boolean => file === project || !kept || kept.has(file.slice(project.length));
    if (!fs.existsSync(storePath)) fs.cpSync(project, storePath, { recursive: true, verbatimSymlinks: true, filter });
    return { storePath, narHash: "", lastModified: 0n, read: { ...wanted, storePath } };
  };
  const open = (recorder?: ReadRecorder, results?: KeptResults): EvaluatorSession => {
    const offline = createOfflineServices(storeDir, inPlace !== undefined);
    return openSession(
      { config: configure(), services: true, flakes: false },
      {
        services: {
          ...offline,
          addPath: ({ include, ...request }) =>
            include === undefined
              ? offline.addPath(request)
              : pathOf({ references: [], ...request, include, storePath: "" }),
          obtainTree(standIn) {
            const facts = obtain();
            results?.served({ id: 0, method: "obtainTree", args: [standIn] }, facts);
            return facts;
          },
        },
        report: () => undefined,
        interrupted: () => false,
        whenLong: () => undefined,
        ...(recorder === undefined ? {} : { limit: (host, trees) => recorder.record(host, trees) }),
      },
    );
  };
  const requestsNow = (): readonly Request[] => [
    { op: "allowPath", path: root, ...(tree === undefined ? {} : { tree }) },
    { op: "evaluate", source: { kind: "file", path: root } },
    { op: "attribute", value: 1, name: "number" },
    { op: "print", value: 2, form: { kind: "json" } },
    { op: "print", value: 1, form: { kind: "json" } },
  ];
  const attempt = (session: EvaluatorSession, request: Request): unknown => {
    try {
      return session.answer(request);
    } catch (error) {
      return { error: String(error) };
    }
  };
  const failed = (answer: unknown): boolean => typeof answer === "object" && answer !== null && "error" in answer;

  /** Answers from what is kept as long as that goes, then evaluates and keeps. */
  async function keptAnswers(requests: readonly Request[]): Promise<{ answers: unknown[]; evaluated: boolean }> {
    const results = new KeptResults({
      file,
      config: configure(),
      isLocked: () => true,
      holds: () => Promise.resolve(true),
      pathOf: async (wanted) => pathOf(wanted),
      worthKeeping: 0,
      settledAfter,
    });
    const recorder = new ReadRecorder();
    const answers: unknown[] = [];
    const keys: string[] = [];
    let session: EvaluatorSession | undefined;
    const evaluate = (index: number): unknown => {
      session ??= open(recorder, results);
      const answer = attempt(session, requests[index]!);
      if (!failed(answer)) results.record(keys[index]!, { value: answer, reads: recorder.take(), took: 1 });
      return answer;
    };
    for (const [index, request] of requests.entries()) {
      keys.push(results.next(request));
      const kept = session === undefined ? await results.answer(keys[index]!) : undefined;
      if (kept !== undefined) {
        answers.push(kept.value);
        continue;
      }
      if (session === undefined) for (let before = 0; before < index; before++) evaluate(before);
      answers.push(evaluate(index));
    }
    await results.close();
    return { answers, evaluated: session !== undefined };
  }

  for (let number = 0; number < options.edits; number++) {
    const what = edit(project, variables, random);
    await sleep(settledAfter + 5);
    locate();
    const requests = requestsNow();
    const { answers, evaluated } = await keptAnswers(requests);
    const session = open();
    const fresh = requests.map((request) => attempt(session, request));
    if (JSON.stringify(answers) !== JSON.stringify(fresh)) {
      wrong.push(`${number}: ${what}: ${JSON.stringify(answers)} instead of ${JSON.stringify(fresh)}`);
    }
    if (!evaluated) used++;
  }
  return { used, wrong };
}
