/** Environments of development shells: those that the reference makes, but for what is the machine's. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sandboxWorks } from "@firn/build";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../support/program.ts";
import { makePlace, type Place } from "../support/run-firn.ts";
import { runSteps, type StepResult } from "../support/steps.ts";
import { developSteps } from "./develop-steps.ts";

const recorded = JSON.parse(readFileSync(new URL("./develop.json", import.meta.url), "utf8")) as readonly StepResult[];
const sandbox = ["--option", "sandbox-paths", "/bin /lib /lib64? /usr"];
let place: Place;
let work: string;
let results: readonly StepResult[] = [];

/** Returns output without the names of the machine's shell, of directories that are made anew, and of the environment's own path. */
function comparable(text: string): string {
  return text
    .replaceAll(/(\/nix\/store\/)\w{32}(-thing-1\.0-env)/g, "$1HASH$2")
    .replaceAll(/nix-dev-env-[\w-]+|nix-\d+-\d+/g, "DIRECTORY")
    .replaceAll(/"(?:BASH|HOSTTYPE|MACHTYPE|NIX_BUILD_CORES|SHELL)":\{[^}]*\},?/g, "")
    .replaceAll(/^(?:BASH|HOSTTYPE|MACHTYPE|NIX_BUILD_CORES|SHELL)=.*$/gm, "");
}

describe.skipIf(!sandboxWorks())("development shells", () => {
  beforeAll(async () => {
    place = makePlace();
    work = join(place.directory, "work");
    results = await runSteps(developSteps, work, async ([program = "", ...args], input) => {
      // A shell that starts replaces its process.
      if (args.includes("-c") && !args.includes("--phase")) return started(args);
      return place.firnWith({ program, input, bytes: true }, ...args);
    });
  }, 300_000);
  afterAll(() => place.remove());

  test.each(recorded.map((step, index) => [step.words, index] as const))("%s (%i)", (_, index) => {
    const [own, theirs] = [results[index]!, recorded[index]!];
    expect(comparable(own.out)).toBe(comparable(theirs.out));
    expect(own.code).toBe(theirs.code);
    if (theirs.code !== 0) expect(own.err).toBe(theirs.err);
  });

  function started(args: readonly string[]): { readonly code: number; readonly out: string; readonly err: string } {
    const words = ["--disable-warning=ExperimentalWarning", main, ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, {
      cwd: work,
      env: place.environment,
      encoding: "latin1",
    });
    return { code: status ?? -1, out: stdout, err: stderr };
  }

  test("have the bash of the flake's nixpkgs", () => {
    expect(readFileSync(join(work, "shell.txt"), "utf8")).toMatch(
      /^\/nix\/store\/\w{32}-bash-interactive\/bin\/bash\n$/,
    );
  });

  test("keep the sources of their flake's inputs, and its own where it was copied, from the collector", () => {
    const state = place.environment.XDG_STATE_HOME ?? join(place.environment.HOME ?? "", ".local/state");
    const kept = readdirSync(join(state, "firn/shells")).map((name) => name.slice(33));
    expect(kept).toContain("source");
    expect(kept).toContain("with-input-env");
  });

  test("run phases and commands, with the environment that flags ask for, and are kept from the collector", () => {
    const run = (...words: readonly string[]): string => {
      const env = { ...place.environment, OWN: "mine" };
      const args = [
        "--disable-warning=ExperimentalWarning",
        main,
        "develop",
        `path:${work}/shell`,
        ...sandbox,
        ...words,
      ];
      const done = spawnSync(process.execPath, args, { cwd: work, env, encoding: "utf8" });
      return `${done.status} ${done.stdout}`;
    };
    expect(run("--build")).toBe("0 hook\nbuilding thing a b\n");
    const shown = run("-c", "bash", "-c", 'echo "$pname|$IN_NIX_SHELL|$OWN|$out"; readlink "$NIX_GCROOT"; exit 3');
    expect(shown).toMatch(
      new RegExp(`^3 hook\\nthing\\|impure\\|mine\\|${work}/outputs/out\\n/nix/store/\\w{32}-thing-1.0-env\\n$`),
    );
    expect(run("--ignore-env", "-c", "bash", "-c", 'echo "[$OWN]"')).toBe("0 hook\n[]\n");
  });
});
