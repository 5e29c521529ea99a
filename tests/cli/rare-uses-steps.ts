/**
 * The steps of tests/cli/rare-uses.test.ts, which scripts/record-steps.ts runs in the reference: seldom used forms and mistakes of old and new commands
 * in which Firn once differed.
 */
import { type Step, type StepSuite, step } from "../support/steps.ts";
import { everyCommandFiles, flakeUrl } from "./every-command-steps.ts";

const files: Readonly<Record<string, string>> = {
  ...everyCommandFiles,
  "search.nix": `let d = name: more: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; } // more; in {
    big = {
      tool = d "Tool-1.0" { meta.description = "a\\ntool"; };
      other = d "other-2" { };
      below = { recurseForDerivations = true; deep = d "deep-tool" { }; };
    };
    place = { meta.position = "nonsense"; };
  }
`,
  "json/1": "1\n",
  "json/{": "{\n",
  "json/[]": "[]\n",
  "json/null": "null\n",
  "json/{}": "{}\n",
  "json/named": '{ "version": 4, "name": 5 }\n',
  "json/wrong-version": '{ "version": 3, "name": "x" }\n',
  "json/no-outputs": '{ "version": 4, "name": "x" }\n',
  "json/outputs-list": '{ "version": 4, "name": "x", "outputs": [1, "a"] }\n',
  "json/bad-env": `{ "version": 4, "name": "x", "system": "x", "builder": "x", "args": [], "inputs": { "srcs": [], "drvs": {} }, "outputs": {},
    "env": { "a": true } }
`,
  "long-text": "more than eight bytes\n",
  registration: "/nix/store/26ypbv0ngv6p16n6rvkd5xyhr6724csi-nope\nnonsense\n0\n",
};

const building: readonly Step[] = [step(`nix build ${flakeUrl}#one --no-link --print-out-paths`, { save: "ONE" })];

const trial: readonly Step[] = [
  ...["(", "a{", "a{1", "a{2,1}", "[a", "[[:nope:]]", "[[.nope.]]", "[z-a]", "+", "a\\"].map((pattern) => ({
    words: ["nix-env", "-f", "t.nix", "-qa", pattern],
  })),
  step("nix-env -f several.nix -qa APP"),
  step("nix search -f search.nix big nothing"),
  step("nix search -f search.nix big TOOL"),
  step("nix search -f search.nix big tool --exclude T[oO]"),
  step("nix search -f search.nix big ^"),
  step(`nix search ${flakeUrl}#packages.x86_64-linux one`),
  step(`nix search ${flakeUrl}#nope one`),
  { words: ["nix", "search", flakeUrl, "("] },
  step(`nix edit ${flakeUrl}#two`),
  step(`nix edit ${flakeUrl}`),
  step("nix edit -f search.nix place"),
  step("nix edit $ONE"),
  ...["1", "{", "[]", "null", "{}", "named", "wrong-version", "no-outputs", "outputs-list", "bad-env"].map((name) =>
    step("nix derivation add", { input: `json/${name}` }),
  ),
  step("nix-store -q --roots /nix/store/26ypbv0ngv6p16n6rvkd5xyhr6724csi-nope"),
  step("nix-store -r --ignore-unknown $ONE"),
  step("nix-store --print-env $ONE"),
  step("nix-store --import", { input: "long-text" }),
  step("nix-store --serve x"),
  step("nix-store --register-validity", { input: "registration" }),
  step("nix-store --add-fixed blake3 file"),
  step("nix-hash --type blake3 file"),
  step("nix hash file --type blake3 file"),
  step("nix-store --repair-path /nix/store/26ypbv0ngv6p16n6rvkd5xyhr6724csi-nope"),
  step("nix copy --all --to file://$WORK/cache3 $ONE"),
  step("nix copy --to $WORK/refusing $ONE"),
  step("nix nar ls nowhere.nar /"),
  step(`nix bundle --bundler ${flakeUrl}#b ${flakeUrl}#nope`),
];

/** The suite. */
export const rareUsesSteps: StepSuite = { files, steps: [...building, ...trial] };
