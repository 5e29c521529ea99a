/**
 * Kept answers beside fresh evaluations, on a generated project that is edited at random. Evaluations run in this thread, without a
 * store.
 */
import fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadSettings } from "@firn/store";
import { hostConfig } from "../../packages/flake/src/evaluator/host-config.ts";
import { hashTree } from "../../packages/flake/src/evaluator/offline-services.ts";
import { openSession } from "../../packages/flake/src/evaluator/open-session.ts";
import type { Request } from "../../packages/flake/src/evaluator/protocol.ts";
import { ReadRecorder } from "../../packages/flake/src/evaluator/read-recorder.ts";
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

/** Compares kept with fresh answers after each of some random edits. Errors of evaluations are answers too. */
export async function compareEdits(directory: string, options: { seed: number; edits: number }): Promise<Comparison> {
  const random = randomFrom(options.seed);
  const variables: Variables = {};
  const project = join(directory, "project");
  layOut(project);
  const file = join(directory, "results.sqlite");
  const wrong: string[] = [];
  let used = 0;

  const configure = () => {
    const environment = { NIX_CONFIG: "", HOME: "/nowhere", FIRN_CODE_CACHE: "", ...variables };
    return hostConfig(loadSettings(environment), { environment, cwd: directory }, { includes: [], readOnly: true });
  };
  const open = (recorder?: ReadRecorder): EvaluatorSession =>
    openSession(
      { config: configure(), services: false, flakes: false },
      {
        services: undefined as never,
        report: () => undefined,
        interrupted: () => false,
        whenLong: () => undefined,
        ...(recorder === undefined ? {} : { limit: (host) => recorder.record(host) }),
      },
    );
  const requests: readonly Request[] = [
    { op: "evaluate", source: { kind: "file", path: project } },
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
  async function keptAnswers(): Promise<{ answers: unknown[]; evaluated: boolean }> {
    const results = new KeptResults({
      file,
      config: configure(),
      isLocked: () => true,
      holds: () => Promise.resolve(true),
      pathOf: async ({ path, name, method, include }) => {
        const kept = include && new Set(include);
        const hash = hashTree(path, method, kept && ((entry) => kept.has(entry.slice(path.length))));
        return makeFixedOutputPath(
          { method, hash },
          { name, storeDir: "/nix/store", references: { others: [], self: false } },
        );
      },
      worthKeeping: 0,
      settledAfter,
    });
    const recorder = new ReadRecorder();
    const answers: unknown[] = [];
    const keys: string[] = [];
    let session: EvaluatorSession | undefined;
    const evaluate = (index: number): unknown => {
      session ??= open(recorder);
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
    const { answers, evaluated } = await keptAnswers();
    const session = open();
    const fresh = requests.map((request) => attempt(session, request));
    if (JSON.stringify(answers) !== JSON.stringify(fresh)) {
      wrong.push(`${number}: ${what}: ${JSON.stringify(answers)} instead of ${JSON.stringify(fresh)}`);
    }
    if (!evaluated) used++;
  }
  return { used, wrong };
}
