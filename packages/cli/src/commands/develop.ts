import { basename, join } from "node:path";
import { type ShellEnvironment, shellQuote } from "@firn/build";
import { type Found, findInput, isLockedNode, showFlakeRef } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { findLogicalFile } from "@firn/store";
import { mkdtempSync, realpathSync, temporaryParent, writeFileSync } from "@firn/store/files";
import { pathOfFileUrl } from "@firn/store/surroundings";
import type { Command, Flag } from "../grammar/command.ts";
import { environmentFlags } from "../grammar/flags.ts";
import type { ParsedFlags } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { programEnvironment, refuseContradictions } from "../programs/program-environment.ts";
import { findProgram, runProgram } from "../programs/run-program.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { environmentText, obtainEnvironment, shellEnvironmentFlags } from "../session/shell-environment.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { buildTargets } from "../targets/build-targets.ts";

/** Phases that have a flag of their own. */
const phases = ["unpack", "configure", "build", "check", "install", "installcheck"] as const;

const flags: readonly Flag[] = [
  ...shellEnvironmentFlags,
  ...environmentFlags,
  {
    name: "command",
    short: "c",
    labels: ["command", "args"],
    takesRest: true,
    description: "Instead of starting an interactive shell, start the specified command and arguments.",
  },
  { name: "phase", labels: ["phase-name"], description: "The stdenv phase to run (e.g. build or configure)." },
  ...phases.map((name) => ({ name, description: `Run the ${name} phase.` })),
];

/** The work of the shell. */
type Work =
  | { readonly kind: "phase"; readonly name: string }
  | { readonly kind: "command"; readonly words: readonly string[] }
  | { readonly kind: "interactive" };

function workOf(flags: ParsedFlags): Work {
  const last = flags.ordered("phase", ...phases).at(-1);
  const [words] = flags.all("command");
  if (last === undefined) return words === undefined ? { kind: "interactive" } : { kind: "command", words };
  if (words !== undefined) throw new UsageError("you cannot use both '--command' and '--phase'");
  const name =
    last.name === "phase" ? (last.values[0] ?? "") : last.name === "installcheck" ? "installCheck" : last.name;
  return { kind: "phase", name };
}

/** `firn develop`: runs a shell, a command or a phase in the environment in which a derivation is built. */
export const command: Command = {
  positionals: [{ label: "installable", kind: "installable", optional: true }],
  flags,
  run: (invocation, io) => {
    let start: (() => never) | undefined;
    const work = workOf(invocation.flags);
    refuseContradictions(invocation.flags);
    return withEvaluation(invocation, io, {
      body: async (session) => {
        const store = await session.store();
        const { environment, root, found } = await obtainEnvironment(session);
        const usrRoot = usrRootOf(environment);
        const shell =
          usrRoot !== undefined
            ? "/bin/bash"
            : ((await interactiveBash(session, found)) ?? findProgram("bash", io.env.PATH));
        if (shell === undefined) {
          throw new FirnError("missing-program", "the program 'bash' is needed to start a shell");
        }
        const directory = mkdtempSync(join(realpathSync(temporaryParent()), "nix-shell."));
        const file = join(directory, "rc");
        const setUp = await environmentText(session, environment);
        writeFileSync(file, startText(session, { work, setUp, shell, directory }), "latin1");
        const variables = {
          ...programEnvironment(invocation, io.env),
          // For whatever in the shell wants to keep it longer.
          NIX_GCROOT: root,
          SHELL: shell,
        };
        const args = work.kind === "interactive" ? ["--rcfile", file] : [file];
        const sources = work.kind === "phase" ? localSources(found) : undefined;
        session.progress.clear();
        start = () => {
          if (sources !== undefined) process.chdir(sources);
          return runProgram({
            store,
            program: shell,
            name: basename(shell),
            args,
            environment: variables,
            ...(usrRoot === undefined ? {} : { usrRoot }),
          });
        };
        return 0;
      },
    }).then((status) => (start === undefined ? status : start()));
  },
};

/**
 * Returns bash as the package `bashInteractive` of the flake's input `nixpkgs` has it, with line editing; undefined when there is no
 * such input, or when it cannot be had, which is told.
 */
async function interactiveBash(session: EvaluationSession, found: Found | undefined): Promise<string | undefined> {
  if (found?.locked === undefined) return undefined;
  const input = findInput(found.locked.root, ["nixpkgs"]);
  if (input === undefined || !isLockedNode(input)) return undefined;
  try {
    const target = await session.installables.target(
      {
        kind: "flake",
        ref: input.lockedRef,
        fragment: "bashInteractive",
        outputs: { kind: "default" },
        text: `${showFlakeRef(input.lockedRef)}#bashInteractive`,
      },
      { defaults: [], prefixes: [`legacyPackages.${session.system}.`] },
    );
    const [built] = await buildTargets(session, [target]);
    const { location } = await session.store();
    for (const path of built?.outputs.values() ?? []) {
      const program = `${path}/bin/bash`;
      if (findLogicalFile(location, program) !== undefined) return program;
    }
    throw new FirnError("missing-program", "package 'nixpkgs#bashInteractive' does not provide a 'bin/bash'");
  } catch (error) {
    if (!(error instanceof FirnError) || error.code === "aborted") throw error;
    session.progress.event({ kind: "message", level: "error", text: `error (ignored): ${error.message}` });
    return undefined;
  }
}

/** Returns the tree that a shell of Debian packages has as its /usr; undefined for others. */
function usrRootOf({ variables }: ShellEnvironment): string | undefined {
  const variable = variables.get("firnUsrRoot");
  return variable?.type === "exported" && variable.value !== "" ? variable.value : undefined;
}

/** Returns the directory of the flake that a value came from, where phases start; undefined when it is not on this machine. */
function localSources(found: Found | undefined): string | undefined {
  const input = found?.locked?.flake.resolvedRef.input;
  const path = input?.get("type") === "path" ? input.get("path") : undefined;
  const url = input?.get("type") === "git" ? input.get("url") : undefined;
  if (typeof path === "string") return path;
  return typeof url === "string" && url.startsWith("file://") ? pathOfFileUrl(url) : undefined;
}

/** Returns the text that the shell reads first. */
function startText(
  { settings, invocation }: EvaluationSession,
  {
    work,
    setUp,
    shell,
    directory,
  }: {
    readonly work: Work;
    readonly setUp: string;
    readonly shell: string;
    readonly directory: string;
  },
): string {
  const begin = [
    setUp,
    ...(invocation.flags.has("debug") ? ["set -x"] : []),
    `command rm -rf ${shellQuote(directory)}`,
  ];
  const end = [`SHELL=${shellQuote(shell)}`];
  const lines = (...parts: readonly (readonly string[])[]): string => `${parts.flat().join("\n")}\n`;
  switch (work.kind) {
    case "phase":
      return lines(begin, end, ["foundMakefile=1", `runHook ${shellQuote(`${work.name}Phase`)}`]);
    case "command":
      return lines(begin, end, [`exec ${work.words.map(shellQuote).join(" ")}`]);
    case "interactive": {
      const prompt = settings.get("bash-prompt");
      const prefix = settings.get("bash-prompt-prefix");
      const suffix = settings.get("bash-prompt-suffix");
      return lines(
        ['[ -n "$PS1" ] && [ -e ~/.bashrc ] && source ~/.bashrc', "shopt -u expand_aliases"],
        begin,
        ["shopt -s expand_aliases"],
        prompt === "" ? [] : [`[ -n "$PS1" ] && PS1=${shellQuote(prompt)}`],
        prefix === "" ? [] : [`[ -n "$PS1" ] && PS1=${shellQuote(prefix)}"$PS1"`],
        suffix === "" ? [] : [`[ -n "$PS1" ] && PS1+=${shellQuote(suffix)}`],
        end,
      );
    }
  }
}
