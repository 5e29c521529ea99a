import { basename, dirname, resolve } from "node:path";
import { appLookup } from "@firn/flake";
import { FirnError, splitStorePath } from "@firn/formats";
import { findLogicalFile, type PathFacts, type StoreFiles } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { environmentFlags, installableFlags } from "../grammar/flags.ts";
import { applicationRun, builtApplication } from "../programs/application.ts";
import { programEnvironment, refuseContradictions } from "../programs/program-environment.ts";
import { isUsrRoot, runProgram, usrRootPath } from "../programs/run-program.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn run`: builds a program and runs it in place of this process. */
export const command: Command = {
  positionals: [
    { label: "installable", kind: "installable", optional: true },
    { label: "args", optional: true, repeats: true },
  ],
  flags: [...installableFlags, ...environmentFlags],
  run: (invocation, io) => {
    refuseContradictions(invocation.flags);
    let start: (() => never) | undefined;
    return withEvaluation(invocation, io, {
      body: async (session) => {
        const [word = ""] = invocation.positionals;
        const file = programFile(await session.store(), resolve(io.cwd, word));
        if (word.includes("/") && file !== undefined) {
          const args = invocation.positionals.slice(1);
          start = fileStart(await session.store(), file, { args, environment: programEnvironment(invocation, io.env) });
          return 0;
        }
        const [installable] = session.installables.parse(invocation.positionals.slice(0, 1));
        if (installable === undefined) throw new FirnError("usage", "more arguments are required");
        const args = invocation.positionals.slice(1);
        const application = await builtApplication(session, installable, appLookup(session.system));
        const environment = programEnvironment(invocation, io.env);
        start = () => runProgram(applicationRun(application, { args, environment }));
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
