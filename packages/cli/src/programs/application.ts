/** Applications: the programs of apps and of packages, built and ready to start (manual: "nix run"). */
import { join } from "node:path";
import type { DerivationFacts, Found, Installable, Lookup, ValueRef } from "@firn/flake";
import { FirnError, parseDrvName, storePathName } from "@firn/formats";
import type { PathFacts, StoreFiles } from "@firn/store";
import { existsSync } from "@firn/store/files";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { type BuiltTarget, buildTargets } from "../targets/build-targets.ts";
import { isUsrRoot, type ProgramRun, usrRootPath } from "./run-program.ts";

/** A program to run, without its arguments and its environment. */
export type Application = Pick<ProgramRun, "store" | "program" | "usrRoot"> & {
  /** The search path that it must have. */
  readonly path?: string;
};

type Context = Parameters<EvaluationSession["builder"]["realise"]>[0];

/** Builds the application of an installable. Fails with `bad-app` where it is none, with `no-program`, and as building does. */
export async function builtApplication(
  session: EvaluationSession,
  installable: Installable,
  lookup: Lookup,
): Promise<Application> {
  const store = await session.store();
  const found = installable.kind === "store-path" ? undefined : await session.installables.find(installable, lookup);
  const app = found === undefined ? undefined : await appProgram(found);
  if (app !== undefined) {
    await session.builder.realise(app.context);
    return { store, program: app.program };
  }
  const [built] = await buildTargets(session, [await session.installables.target(installable, lookup)]);
  if (built === undefined) throw new FirnError("usage", "nothing was built");
  return mainApplication(store, built);
}

/** Returns how a program is run: what {@link runProgram} takes. */
export function applicationRun(
  { path, ...application }: Application,
  run: Pick<ProgramRun, "args" | "environment">,
): ProgramRun {
  if (path === undefined) return { ...application, ...run };
  return { ...application, ...run, environment: { ...run.environment, PATH: path } };
}

async function typeOf(value: ValueRef): Promise<string | undefined> {
  const type = await value.attribute("type");
  return type === undefined || (await type.kind()) !== "string" ? undefined : (await type.string()).text;
}

/** Returns the program of an app (`{ type = "app"; program = …; }`), and the context that must be built for it. */
async function appProgram({
  value,
  attrPath,
  locked,
}: Found): Promise<{ program: string; context: Context } | undefined> {
  const type = await typeOf(value);
  if (locked !== undefined) {
    const wanted = /^(?:apps|defaultApp)(?:\.|$)/.test(attrPath) ? "app" : "derivation";
    if (type === undefined) {
      throw new FirnError("missing-attribute", `attribute '${attrPath}.type' does not exist`);
    }
    if (type !== wanted) throw new FirnError("bad-app", `attribute '${attrPath}' should have type '${wanted}'`);
  }
  if (type !== "app") return undefined;
  const program = await value.attribute("program");
  if (program === undefined) throw new FirnError("bad-app", "app lacks the attribute 'program'");
  const { text, context } = await program.string();
  return { program: text, context };
}

/** Returns the main program of a built derivation. */
function mainApplication(store: PathFacts & StoreFiles, built: BuiltTarget): Application {
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
    return { store, program: `${directory}/${name}`, usrRoot: path, path: usrRootPath };
  }
  return { store, program: `${path}/bin/${name}` };
}

/** Returns the path of the main program of a built derivation that is no tree for /usr. */
export function mainProgramOf(built: BuiltTarget): string {
  const path = built.outputs.get("out") ?? [...built.outputs.values()][0];
  if (path === undefined) throw new FirnError("no-output", "the installable has no output to run");
  return `${path}/bin/${mainProgram(built.target.kind === "outputs" ? built.target.facts : undefined, path)}`;
}

function mainProgram(facts: DerivationFacts | undefined, path: string): string {
  if (facts?.mainProgram !== undefined) return facts.mainProgram;
  return facts?.pname ?? parseDrvName(facts?.name ?? storePathName(path)).name;
}
