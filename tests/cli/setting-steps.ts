/** The steps of tests/cli/setting-mistakes.test.ts, which scripts/record-steps.ts runs in the reference. */
import { type Step, type StepSuite, step } from "../support/steps.ts";

const evaluate = "nix eval --expr 1";
const instantiate = "nix-instantiate --eval -E 1";

/** Command lines with mistakes in settings and flags. */
const steps: readonly Step[] = [
  step(`${evaluate} --option bogus x`),
  step(`${instantiate} --option bogus x`),
  step(`${evaluate} --option cores abc`),
  step(`${evaluate} --cores abc`),
  step(`${instantiate} --option cores abc`),
  step(`${evaluate} --sandbox maybe`),
  step(`${evaluate} --max-jobs abc`),
  step(`${instantiate} -j abc`),
  step(`${evaluate} --extra-experimental-features bogus`),
  step(`${evaluate} --extra-experimental-features no-url-literals`),
  step(`${instantiate} --option extra-experimental-features`),
  { words: ["nix-instantiate", "--eval", "-E", "1", "--option", "extra-experimental-features", "c b"] },
  step(`${evaluate} --log-format bogus`),
  step(`${instantiate} --log-format bogus`),
  step(`${evaluate} --log-format raw`),
  step(`${instantiate} --option impure-env a=b`),
  step(
    "nix-build --no-out-link impure.nix --extra-experimental-features configurable-impure-env --option impure-env NAME=value",
    { compares: false, save: "IMPURE" },
  ),
  step("nix path-info $IMPURE"),
  step("nix store add --mode git tree"),
  step("nix store add --mode git tree --extra-experimental-features git-hashing"),
  step("nix store add --mode git tree --hash-algo sha1 --extra-experimental-features git-hashing"),
  step("nix store add --mode git tree --hash-algo md5 --extra-experimental-features git-hashing"),
  step("nix hash path --mode git tree"),
  step("nix hash path --mode git tree --algo sha1 --extra-experimental-features git-hashing"),
  step("nix-build --no-out-link git.nix --extra-experimental-features git-hashing"),
  step(
    "nix-build --no-out-link git.nix --argstr hash 45b983be36b73c0788dc9cbcb76cbb80fc7bb058 --extra-experimental-features git-hashing",
  ),
  step("nix config show bogus"),
  step("nix eval --expr"),
  step("nix eval --bogus"),
  step("nix-build --bogus"),
  step("nix-build -A"),
  step(`${evaluate} --warn-short-path-literals`),
  step("nix eval --expr foo/bar --warn-short-path-literals"),
  step("nix eval --expr foo/bar --warn-short-path-literals --lint-short-path-literals fatal"),
  step("nix eval --expr foo/bar --no-warn-short-path-literals --lint-short-path-literals warn"),
  step("nix eval --pure-eval --file impure.nix"),
  step("nix eval --file impure.nix --expr 1"),
  step("nix-instantiate --eval -E <foo> -I foo=$WORK/none"),
  step("nix-instantiate --eval -E <foo> -I foo=file://$WORK/none.tar.gz"),
  step("nix-instantiate --find-file foo -I foo=flake:path:$WORK/tree", { save: "TREE" }),
  step("nix eval --impure --expr <foo> -I foo=flake:path:$WORK/tree"),
];

/** Mistakes in settings, and what stands in search paths. */
export const settingSteps: StepSuite = {
  files: {
    "tree/flake.nix": "{ outputs = { self }: { }; }\n",
    "impure.nix": `derivation {
  name = "impure"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "printf %s $NAME > $out" ];
  impureEnvVars = [ "NAME" ]; outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" "value";
}
`,
    "git.nix": `{ hash ? "45b983be36b73c0788dc9cbcb76cbb80fc7bb057" }: derivation {
  name = "git"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo hi > $out" ];
  outputHashMode = "git"; outputHashAlgo = "sha1"; outputHash = hash;
}
`,
  },
  steps,
};
