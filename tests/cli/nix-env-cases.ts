/** Command lines of `nix-env` that are run one after the other, by the reference for the record and by Firn for the test. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a command line gave, with the working directory as `$WORK` and times as `$TIME`. */
export interface RecordedRun {
  readonly words: readonly string[];
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const files: Readonly<Record<string, string>> = {
  "packages.nix": `let
    make = name: meta: {
      type = "derivation"; system = "x86_64-linux"; inherit name meta; outPath = "\${./src + "/\${name}"}";
    };
  in rec {
    foo01 = make "foo-0.1" { priority = 10; };
    foo10 = make "foo-1.0" { description = "silly \\"x\\" <y>\\nz"; };
    foo2pre = make "foo-2.0pre1" { };
    foo20 = make "foo-2.0" { };
    bar = make "bar-0.1" {
      number = 1.5; big = 9007199254740993; list = [ "a" "b" 3 ];
      set = { a = "b"; c = 1; }; flag = true; none = null; function = x: x;
    };
    alias = foo10;
    thrower = throw "no";
    nested = { recurseForDerivations = true; inner = make "inner-1.2.3pre4" { } // { system = "i686-linux"; }; };
    hidden = { inner2 = make "inner2-1" { }; };
  }
  `,
  "bad.nix": '{ a = { type = "derivation"; name = "a"; outPath = "/etc"; }; }\n',
  "channels/one.nix": "import ../packages.nix // { recurseForDerivations = true; }\n",
  "channels/two/default.nix": "{ bar = (import ../../packages.nix).bar; }\n",
};

/** Writes the expressions and the packages of the cases into a directory. */
export function layOut(directory: string): void {
  for (const name of ["foo-0.1", "foo-1.0", "foo-2.0pre1", "foo-2.0", "bar-0.1", "inner-1.2.3pre4"]) {
    const program = join(directory, "src", name, "bin", name.replace(/-.*/, ""));
    mkdirSync(join(program, ".."), { recursive: true });
    writeFileSync(program, `#!/bin/sh\necho ${name}\n`);
    chmodSync(program, 0o755);
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, ".."), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
}

const profile = "-p $WORK/profile -f packages.nix";

/** The command lines, without the program's name; words are split at spaces. */
export const commandLines: readonly string[] = [
  ...["", "--version --foo", "-q -i", "-q --foo", "-i -x", "-qP", "-G", "-G x", "--rollback 3", "--set-flag keep"],
  ...["-qa", "-qaP", "-qaP --description --system", "-qa --no-name --system", "-qa --out-path foo-2.0"],
  ...["-qa --drv-path bar", "-qa --xml --meta", "-qa --json", "-qa --json --meta bar", "-qa --json --out-path foo"],
  ...["-qa f.*", "-qa foo-1.0 bar", "-qa fo", "-qa nothing", "-qaA nested -P", "-qaA nested.inner -P", "-qaA missing"],
  ...["-qa --system-filter i686-linux", "-q", "-qc", "-qac"],
  ...["-i foo-1.0", "-q", "-qs", "-qc", "-qac", "-qac --xml foo", "-q --out-path", "-q --json --meta"],
  ...["-i foo-2.0pre1", "-u foo --dry-run", "-u foo", "-u --leq --dry-run", "-u --always f.*", "-i bar foo-1.0"],
  ...["-q --xml --meta --description", "-e foo", "--rollback", "--rollback --dry-run", "--list-generations", "-G 2"],
  ...["-G 77", "--set-flag active false foo", "--set-flag priority 7 foo bar", "--set-flag keep true nope"],
  ...["--set-flag keep true foo", "-i foo", "-q", "-e *", "-e *", "-q", "-i foo-1.0 foo-2.0", "-i foo-0.1 foo-1.0"],
  ...["-i --priority 1 foo-0.1", "-i --priority x foo", "-iA foo20 bar", "-iA missing", "-iE x:x.bar --dry-run"],
  ...["-iP foo-0.1", "-ir *", "-q", "-i nothing", "--set foo-1.0 bar", "--delete-generations 1 2"],
  ...["--delete-generations +3", "--delete-generations +", "--delete-generations +0", "--delete-generations +x"],
  ...["--delete-generations xd", "--delete-generations 0d", "--delete-generations 5d", "--delete-generations foo"],
  ...["--delete-generations old --dry-run", "--delete-generations old", "--list-generations", "--set foo-1.0", "-q"],
].map((line) => `${profile} ${line}`);

/** The command lines with other expressions. */
export const otherLines: readonly string[] = [
  "-f channels -qaP",
  "-f bad.nix -qa --out-path",
  "-f missing.nix -qa",
  "-p $WORK/other -f packages.nix -i --from-profile $WORK/nowhere *",
  "-p $WORK/other -f channels -iA two.bar",
  "-p $WORK/third -i --from-profile $WORK/other *",
  "-p $WORK/third -q",
];

/** Replaces what differs between two runs: places, times, and the builds of user environments, which a store may have already. */
export function normalised(text: string, directory: string): string {
  const builds = /^building '[^']*-user-environment\.drv'\.\.\.\n/gm;
  return text
    .replaceAll(builds, "")
    .replaceAll(directory, "$WORK")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "$TIME");
}
