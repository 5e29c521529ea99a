import { basename, dirname, join, resolve } from "node:path";
import { appLookup, type DerivationFacts, type ValueRef } from "@firn/flake";
import { FirnError, parseDrvName, splitStorePath, storePathName } from "@firn/formats";
import { findLogicalFile, type PathFacts, type StoreFiles } from "@firn/store";
import { existsSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { environmentFlags, installableFlags } from "../grammar/flags.ts";
import { programEnvironment } from "../programs/program-environment.ts";
import { isUsrRoot, runProgram, usrRootPath } from "../programs/run-program.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { type BuiltTarget, buildTargets } from "../targets/build-targets.ts";

/** `firn run`: builds a program and runs it in place of this process. */
export const command: Command = {
  positionals: [
    { label: "installable", optional: true },
    { label: "args", optional: true, repeats: true },
  ],
  flags: [...installableFlags, ...environmentFlags],
  run: (invocation, io) => {
    let start: (() => never) | undefined;
    return withEvaluation(invocation, io, {
      body: async (session) => {
        const [word = ""] = invocation.positionals;
        const file = programFile(await session.store(), resolve(io.cwd, word));
        if (word.includes("/") && file !== undefined) {
          const args = [...invocation.positionals.slice(1), ...invocation.rest];
          start = fileStart(await session.store(), file, { args, environment: programEnvironment(invocation, io.env) });
          return 0;
        }
        const [installable] = session.installables.parse(invocation.positionals.slice(0, 1));
        if (installable === undefined) throw new FirnError("usage", "more arguments are required");
        const args = [...invocation.positionals.slice(1), ...invocation.rest];
        const environment = programEnvironment(invocation, io.env);
        const store = await session.store();
        const found =
          installable.kind === "store-path"
            ? undefined
            : await session.installables.find(installable, appLookup(session.system));
        const app = found === undefined ? undefined : await appProgram(found.value);
        if (app !== undefined) {
          await session.builder.realise(app.context);
          start = () => runProgram({ store, program: app.program, args, environment });
          return 0;
        }
        const [built] = await buildTargets(session, [
          await session.installables.target(installable, appLookup(session.system)),
        ]);
        if (built === undefined) throw new FirnError("usage", "nothing was built");
        start = programStart(store, built, { args, environment });
        return 0;
      },
    }).then((code) => (start === undefined ? code : start()));
  },
};

/** The arguments and the environment of a program. */
interface Run {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Returns the place in the store of a program such as `./result/bin/hello`; undefined for other paths. */
function programFile({ location }: StoreFiles, path: string): string | undefined {
  const directory = findLogicalFile(location, dirname(path))?.path;
  if (directory?.startsWith(`${location.storeDir}/`) !== true) return undefined;
  const program = `${directory}/${basename(path)}`;
  const found = findLogicalFile(location, program);
  return found?.status.isFile() === true && (found.status.mode & 0o111) !== 0 ? program : undefined;
}

/** Returns the start of a program by its place in the store; one of a tree for /usr has that. */
function fileStart(store: PathFacts & StoreFiles, program: string, run: Run): () => never {
  const { storePath, rest } = splitStorePath(program, store.storeDir);
  if (!isUsrRoot(store, storePath) || !rest.startsWith("/usr/")) return () => runProgram({ store, program, ...run });
  const environment = { ...run.environment, PATH: usrRootPath };
  return () => runProgram({ store, program: rest, args: run.args, environment, usrRoot: storePath });
}

type Context = Parameters<EvaluationSession["builder"]["realise"]>[0];

/** Returns the program of an app (`{ type = "app"; program = …; }`), and the context that must be built for it. */
async function appProgram(value: ValueRef): Promise<{ program: string; context: Context } | undefined> {
  const type = await value.attribute("type");
  if (type === undefined || (await type.kind()) !== "string") return undefined;
  if ((await type.string()).text !== "app") return undefined;
  const program = await value.attribute("program");
  if (program === undefined) throw new FirnError("bad-app", "app lacks the attribute 'program'");
  const { text, context } = await program.string();
  return { program: text, context };
}

/** Returns the start of a built derivation's main program. */
function programStart(store: PathFacts & StoreFiles, built: BuiltTarget, run: Run): () => never {
  const path = built.outputs.get("out") ?? [...built.outputs.values()][0];
  if (path === undefined) throw new FirnError("no-output", "the installable has no output to run");
  const facts = built.target.kind === "outputs" ? built.target.facts : undefined;
  const name = mainProgram(facts, path);
  if (isUsrRoot(store, path)) {
    const directory = usrRootPath
      .split(":")
      .find((candidate) => existsSync(join(store.realPath(path), candidate, name)));
    if (directory === undefined) {
      throw new FirnError("no-program", `the Debian environment '${path}' has no program '${name}'`, {
        hint: `enter it with 'firn shell' to see its programs`,
      });
    }
    return () =>
      runProgram({
        store,
        program: `${directory}/${name}`,
        args: run.args,
        environment: { ...run.environment, PATH: usrRootPath },
        usrRoot: path,
      });
  }
  return () => runProgram({ store, program: `${path}/bin/${name}`, args: run.args, environment: run.environment });
}

function mainProgram(facts: DerivationFacts | undefined, path: string): string {
  if (facts?.mainProgram !== undefined) return facts.mainProgram;
  return facts?.pname ?? parseDrvName(facts?.name ?? storePathName(path)).name;
}
