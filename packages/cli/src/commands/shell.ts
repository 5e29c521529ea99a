import { join } from "node:path";
import { existsSync, readFileSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { environmentFlags, installableFlags, stdinFlag } from "../grammar/flags.ts";
import { programEnvironment, refuseContradictions } from "../programs/program-environment.ts";
import { findProgram, isUsrRoot, runProgram, usrRootPath } from "../programs/run-program.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { buildTargets } from "../targets/build-targets.ts";

/** `firn shell`: runs a shell, or a command, with packages on its search path. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [
    ...installableFlags,
    ...environmentFlags,
    stdinFlag,
    {
      name: "command",
      short: "c",
      labels: ["command", "args"],
      takesRest: true,
      description: "Command and arguments to be executed, defaulting to $SHELL",
    },
  ],
  run: (invocation, io) => {
    let start: (() => never) | undefined;
    refuseContradictions(invocation.flags);
    return withEvaluation(invocation, io, {
      body: async (session) => {
        const { flags } = invocation;
        const words = await session.words();
        const store = await session.store();
        const built = await buildTargets(
          session,
          await session.installables.targets(session.installables.parse(words)),
        );
        const paths = built.flatMap(({ outputs }) => [...outputs.values()]);
        // One tree of Debian packages can be /usr; of several, the programs are started as a profile starts them.
        const trees = paths.filter((path) => isUsrRoot(store, path));
        const usrRoots = trees.length === 1 ? trees : [];
        const inherited = programEnvironment(invocation, io.env);
        const seen = new Set(paths);
        const directories: string[] = [];
        for (const path of seen) {
          if (usrRoots.includes(path)) continue;
          directories.push(`${trees.includes(path) ? `${path}/nix-support/profile` : path}/bin`);
          const propagated = join(store.realPath(path), "nix-support", "propagated-user-env-packages");
          if (existsSync(propagated)) {
            for (const more of readFileSync(propagated, "latin1").split(/\s+/)) if (more !== "") seen.add(more);
          }
        }
        const [usrRoot] = usrRoots;
        const base = usrRoot === undefined ? (inherited.PATH ?? "") : usrRootPath;
        const PATH = [...directories, base].filter((part) => part !== "").join(":");
        const environment = { ...inherited, PATH };
        const [named, ...namedArgs] = flags.all("command")[0] ?? [];
        const program = named ?? (usrRoot === undefined ? (io.env.SHELL ?? "/bin/sh") : "/bin/bash");
        const args = namedArgs;
        start = () => {
          const absolute = program.includes("/") ? program : (locate(store, program, PATH, usrRoot) ?? program);
          return runProgram({
            store,
            program: absolute,
            args,
            environment,
            ...(usrRoot === undefined ? {} : { usrRoot }),
          });
        };
        return 0;
      },
    }).then((code) => (start === undefined ? code : start()));
  },
};

type Store = Parameters<typeof isUsrRoot>[0];

/** Finds a program on the search path as it will be inside, by its present place on disk. */
function locate(store: Store, name: string, path: string, usrRoot: string | undefined): string | undefined {
  for (const directory of path.split(":")) {
    const real = directory.startsWith(`${store.storeDir}/`)
      ? store.location.realStoreDir + directory.slice(store.storeDir.length)
      : usrRoot === undefined
        ? directory
        : store.realPath(usrRoot) + directory;
    if (findProgram(name, real) !== undefined) return `${directory}/${name}`;
  }
  return undefined;
}
