/** The steps of tests/cli/other-stores.test.ts, which scripts/record-steps.ts runs in the reference. */
import { type Step, type StepSuite, step } from "../support/steps.ts";

/** The files of the working directory. */
const files: Readonly<Record<string, string>> = {
  data: "data\n",
  "t.nix": `{ name ? "t" }: derivation {
  inherit name; system = "x86_64-linux"; builder = "/bin/sh"; src = ./data; args = [ "-c" "read x < $src; echo $x > $out" ];
}
`,
  "read.nix": `builtins.readFile (import ./t.nix { name = "read"; }).outPath`,
  "log.nix": `derivation { name = "log"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" ''
  echo '@nix {"action": null}'
  echo '@nix []'
  echo '@nix 12'
  echo '@nix {"action": "start"}'
  echo '@nix {"action": "setPhase", "phase":7}'
  echo '@nix {"action": "msg", "msg":"hi"}'
  echo '@nix {"action": "msg", "msg":"told", "level":0}'
  echo '@nix {"action": "other"}'
  echo '@nix {"a'
  echo > $out
'' ]; }`,
  "fetch.nix": `import <nix/fetchurl.nix> { url = "file:///no-such-directory/data"; sha256 = "6667b2d1aab6a00caa5aee5af8ad9f1465e567abf1c209d15727d57b3e8f6e5f"; }`,
  "rules.nix": `derivation {
  name = "rules"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; disallowedReferences = [ "none" ];
}`,
  "graph.nix": `derivation {
  name = "graph"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; exportReferencesGraph = [ "x" ];
}`,
  "text.nix": `builtins.readFile (builtins.toFile "x" "text")`,
};

/** The steps, in order. */
const steps: readonly Step[] = [
  step("nix-instantiate --store file://$WORK/cache t.nix", { save: "DRV" }),
  step("nix-instantiate --store file://$WORK/cache t.nix"),
  step("nix path-info --all --store file://$WORK/cache"),
  step("nix eval --store file://$WORK/cache -f t.nix drvPath"),
  step("nix eval --store file://$WORK/new --raw -f text.nix"),
  step("nix store add --store file://$WORK/cache data"),
  step("nix build --store file://$WORK/cache --no-link -f t.nix"),
  step("nix-build --store file://$WORK/cache --no-out-link t.nix"),
  step("nix build --no-link -f t.nix", { compares: false }),
  step("nix copy --to file://$WORK/cache -f t.nix", { compares: false }),
  step("nix-build --store file://$WORK/cache t.nix"),
  step("nix build --store file://$WORK/cache --print-out-paths -f t.nix"),
  step("nix eval --store dummy:// --expr 1+1"),
  step("nix-instantiate --eval-store dummy://?read-only=false t.nix"),
  step("nix eval --eval-store dummy://?read-only=false -f t.nix drvPath"),
  step("nix eval --eval-store dummy:// --expr 1+1"),
  step("nix build --store $WORK/b1 --eval-store $WORK/e1 --no-link --print-out-paths -f t.nix", { compares: false }),
  step("nix path-info --store $WORK/b1 --all"),
  step("nix path-info --store $WORK/e1 --all"),
  step("nix-build --store $WORK/b2 --eval-store $WORK/e2 --no-out-link t.nix", { compares: false }),
  step("nix path-info --store $WORK/b2 --all"),
  step("nix-instantiate --store $WORK/b3 --eval-store $WORK/e3 t.nix"),
  step("nix path-info --store $WORK/b3 --all"),
  step("nix build --store $WORK/b4 --eval-store file://$WORK/e4 --no-link -f t.nix", { compares: false }),
  step("nix path-info --store $WORK/b4 --all"),
  step("nix eval --store $WORK/b5 --eval-store $WORK/e5?require-sigs=false --raw -f read.nix", { compares: false }),
  step("nix path-info --store $WORK/b5 --all"),
  step("nix path-info --store $WORK/e5 --all"),
  step("nix build -L --no-link -f log.nix"),
  step("nix log --store file://$WORK/cache $DRV"),
  step("nix store add-file --store file://$WORK/foreign?store=/elsewhere/store data"),
  // Content comes also from a cache whose store directory is another. The plan has words of its own.
  step("nix-build --no-out-link --substituters file://$WORK/foreign?store=/elsewhere/store fetch.nix", {
    messages: false,
  }),
  step("nix-build --no-out-link rules.nix"),
  step("nix-build --no-out-link graph.nix"),
  step("nix-instantiate t.nix", { save: "HERE" }),
  step("nix-build --no-out-link $HERE!out,bin"),
  step("nix-build --no-out-link $HERE!none"),
  step("nix build --no-link $HERE^none"),
  step("nix store add --store $WORK/b6 data", { save: "DATA" }),
  step("nix copy --from $WORK/b6 --to file://$WORK/cache2 $DATA"),
  step("nix copy --from file://$WORK/cache2 --to $WORK/b7 $DATA --no-check-sigs"),
  step("nix copy --from $WORK/b7 --to $WORK/b8 --no-check-sigs /nix/store/00000000000000000000000000000000-none"),
  step("nix flake prefetch file+file://$WORK/data"),
  step("nix flake prefetch --json file+file://$WORK/data"),
];

/** Evaluations and builds whose store is a binary cache, in memory, or another than that of the evaluation. */
export const otherStoresSteps: StepSuite = { files, steps };
