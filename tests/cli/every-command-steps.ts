/**
 * The steps of tests/cli/every-command.test.ts, which scripts/record-steps.ts runs in the reference: of each command that no other suite has,
 * the common case, a mistake, and `--json` where it takes that.
 */
import { type Step, type StepSuite, step } from "../support/steps.ts";

const flake = `{
  description = "a flake";
  inputs.dep = { url = "path:./dep"; flake = false; };
  outputs = { self, dep }: let
    d = name: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo built; echo \${name} > $out" ]; } // more);
    # Programs without a builder that has any.
    tool = version: derivation {
      name = "tool-\${version}"; system = "builtin"; builder = "builtin:buildenv"; manifest = ./dep/x; derivations = [ "true" 5 1 ./tool ];
    };
  in {
    packages.x86_64-linux = {
      one = d "one-1.0" { } // { meta = { description = "the first"; position = "\${self}/flake.nix:3"; }; };
      two = d "two-2.0" { one = self.packages.x86_64-linux.one; args = [ "-c" "echo $one > $out" ]; };
      tool = tool "1.0";
      fails = d "fails" { args = [ "-c" "echo no; exit 7" ]; };
    };
    apps.x86_64-linux.app = { type = "app"; program = "\${./tool}/bin/tool.sh"; };
    formatter.x86_64-linux = tool "2.0" // { meta.mainProgram = "tool.sh"; };
    bundlers.x86_64-linux.b = drv: d "bundle" { inherit drv; };
    templates.t = { path = ./template; description = "a template"; };
    lib.one = 1;
    checks.x86_64-linux.c = d "check" { };
  };
}
`;

/** The files of the steps. */
export const everyCommandFiles: Readonly<Record<string, string>> = {
  "f/flake.nix": flake,
  "f/dep/x": "dep\n",
  "f/tool/bin/tool.sh": '#!/bin/sh\necho ran "$@"\n',
  "f/flake.lock": `{
  "nodes": {
    "dep": {
      "flake": false,
      "locked": {
        "path": "./dep",
        "type": "path"
      },
      "original": {
        "path": "./dep",
        "type": "path"
      },
      "parent": []
    },
    "root": {
      "inputs": {
        "dep": "dep"
      }
    }
  },
  "root": "root",
  "version": 7
}
`,
  "f/template/made.txt": "from a template\n",
  "wrong/flake.nix": "{ outputs = 1; }\n",
  "bare/flake.nix": "{ outputs = _: { }; }\n",
  "t.nix": `derivation { name = "old"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo old > $out" ]; }\n`,
  "several.nix": `let d = name: script: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ]; }; in {
    z = d "z" "echo last; exit 3"; b = d "b" "exit 4"; c = d "c" "echo second; exit 5";
    app = d "app-1.2.3" "echo one; echo two; echo > $out";
    never = d "never" "echo > $out";
  }
`,
  file: "contents\n",
  "dir/a": "a\n",
  "secret.key": "test-1:ruzVzWZKYdjdxdUezQtIYDlHNBGjiGCKvgDO+RDholqJxeZPR7ynUeYxUC8V46DPQkoMfwPklO75PP92qs1d8A==",
  "drv.json": `{ "version": 4, "name": "by-hand", "system": "x86_64-linux", "builder": "/bin/sh", "args": [ "-c", "echo > $out" ],
  "env": { "out": "/nix/store/k397vaa6z0cl21mkcg2xp7rcrz1yw5vf-by-hand" }, "inputs": { "srcs": [ ], "drvs": { } },
  "outputs": { "out": { "path": "k397vaa6z0cl21mkcg2xp7rcrz1yw5vf-by-hand" } } }
`,
};

/** The flake among them. */
export const flakeUrl = "path:$WORK/f";
const missing = "/nix/store/26ypbv0ngv6p16n6rvkd5xyhr6724csi-nope";
const registry = "--registry $WORK/registry.json";

const building: readonly Step[] = [
  step(`nix flake lock ${flakeUrl}`),
  step(`nix build ${flakeUrl}#two --no-link --json`),
  step(`nix build ${flakeUrl}#one --no-link --print-out-paths`, { save: "ONE" }),
  step(`nix build ${flakeUrl}#two --no-link --print-out-paths`, { save: "TWO" }),
  step(`nix build ${flakeUrl}#fails --no-link`, { compares: false }),
  step(`nix bundle --bundler ${flakeUrl}#b ${flakeUrl}#one -o bundled`),
  step("nix path-info $WORK/bundled"),
  step(`nix bundle --bundler ${flakeUrl}#nope ${flakeUrl}#one`),
  step(`nix run ${flakeUrl}#app -- a b`, { process: true }),
  step(`nix env shell ${flakeUrl}#one -c /bin/sh -c echo`, { process: true }),
  step(`nix env shell ${flakeUrl}#nope -c true`),
  step(`nix edit ${flakeUrl}#one`, { process: true }),
  step(`nix log ${flakeUrl}#one`),
  step(`nix log ${missing}`),
  step("nix why-depends $TWO $ONE"),
  step(`nix why-depends $TWO ${missing}`),
];

/** Installables in messages: by the words for attributes, whole references for flakes, paths as they are. */
const named: readonly Step[] = [
  step("nix log ./f#two"),
  step(`nix log ${flakeUrl}#checks.x86_64-linux.c^out`),
  step("nix log -f several.nix app"),
  step("nix why-depends ./f#two ./f#one"),
  step(`nix why-depends ${flakeUrl}#one ${flakeUrl}#two^out`),
  step(`nix why-depends --derivation ${flakeUrl}#one ${flakeUrl}#two`),
  step(`nix why-depends ${flakeUrl}#one ${flakeUrl}#checks.x86_64-linux.c`),
  step("nix path-info -f several.nix never"),
  step(`nix path-info ${flakeUrl}#checks.x86_64-linux.c ${flakeUrl}#one`),
  step(`nix store copy-log --to $WORK/logs ${flakeUrl}#one`),
  step(`nix store copy-log --to $WORK/logs ${flakeUrl}#checks.x86_64-linux.c`),
  step("nix store ls ./f"),
  step("nix store cat f/../g"),
];

const severalBuilds: readonly Step[] = [
  step("nix build -f several.nix z b c -j1 --no-link"),
  step("nix build -f several.nix z b c -j1 --keep-going --no-link"),
  step("nix-build several.nix -A z -A c -A b -j1 -k --no-out-link"),
  step("nix build -f several.nix app -L --no-link"),
  step("nix build -f several.nix app -L --rebuild --no-link"),
  step("nix build -f several.nix app never -j1 --rebuild --keep-going --no-link"),
  { words: ["nix", "build", "-f", "several.nix", "app", "-o", ""] },
];

const formatting: readonly Step[] = [
  step("nix fmt", { directory: "f", process: true }),
  step("nix fmt x y", { directory: "f", process: true }),
  step("nix fmt", { directory: "bare" }),
  step("nix formatter run", { directory: "f", process: true }),
  step("nix formatter run", { directory: "bare" }),
  step("nix formatter build --out-link $WORK/formatted", { directory: "f" }),
  step("nix formatter build", { directory: "bare" }),
];

const flakes: readonly Step[] = [
  step(`nix flake metadata ${flakeUrl} --json`),
  step(`nix flake metadata path:$WORK/wrong`, { messages: false }),
  step(`nix flake info ${flakeUrl} --json`),
  step(`nix flake info path:$WORK/nowhere`),
  step(`nix flake show ${flakeUrl} --json`),
  step(`nix flake show path:$WORK/wrong`, { messages: false }),
  step(`nix flake check ${flakeUrl}`),
  step(`nix flake archive ${flakeUrl} --json --dry-run`),
  step(`nix flake archive ${flakeUrl}`),
  step("nix flake archive path:$WORK/nowhere"),
  step(`nix flake prefetch ${flakeUrl} --json`),
  step("nix flake prefetch path:$WORK/nowhere"),
  step(`nix flake prefetch-inputs ${flakeUrl}`, { compares: false }),
  step("nix flake prefetch-inputs path:$WORK/wrong", { messages: false }),
  step(`nix flake update --flake ${flakeUrl}`),
  step("nix flake update --flake path:$WORK/wrong", { messages: false }),
  step(`nix flake update nope --flake ${flakeUrl}`),
  step("nix flake lock path:$WORK/wrong", { messages: false }),
  step(`nix flake init -t ${flakeUrl}#t`, { directory: "dir" }),
  step(`nix flake init -t ${flakeUrl}#nope`, { directory: "dir" }),
  step(`nix search ${flakeUrl} ^ --json`),
  step(`nix search ${flakeUrl} first`, { compares: false }),
  step(`nix search ${flakeUrl} nothing-like-this`),
  step(`nix search ${flakeUrl}`),
];

const derivations: readonly Step[] = [
  step(`nix derivation show ${flakeUrl}#two`),
  step("nix derivation show $TWO"),
  step(`nix derivation show ${missing}`),
  step("nix derivation add", { input: "drv.json" }),
  step("nix derivation add", { input: "file", messages: false }),
  step(`nix realisation info ${flakeUrl}#one --json`),
  step("nix realisation info --extra-experimental-features ca-derivations $ONE --json"),
];

const hashes: readonly Step[] = [
  step(
    "nix hash convert --hash-algo sha256 --to nix32 98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4",
  ),
  step("nix hash convert --to base64 sha256-mOpuTyFvL7S2n/+bOkSELDhobKaF8/VdxIxdP7EQe+Q="),
  step("nix hash convert --hash-algo sha256 zz"),
  step("nix hash convert 98ea"),
  step("nix hash file file dir/a"),
  step("nix hash file --base32 --type sha512 file"),
  step("nix hash file nowhere", { messages: false }),
  step("nix hash path dir --sri"),
  step("nix hash path nowhere"),
  step("nix hash to-base16 sha256-mOpuTyFvL7S2n/+bOkSELDhobKaF8/VdxIxdP7EQe+Q="),
  step("nix hash to-base16 zz"),
  step("nix hash to-base32 zz"),
  step("nix hash to-base64 sha256-mOpuTyFvL7S2n/+bOkSELDhobKaF8/VdxIxdP7EQe+Q="),
  step("nix hash to-base64 zz"),
  step("nix hash to-sri --type sha256 98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4"),
  step("nix hash to-sri zz"),
  step("nix key generate-secret"),
  step("nix key generate-secret --key-name test-2", { compares: false }),
  step("nix key convert-secret-to-public", { input: "secret.key" }),
  step("nix key convert-secret-to-public", { input: "file" }),
  step("nix hash path --mode text dir"),
  step("nix hash to-sri --type nope x"),
  step("nix hash to-base32"),
  step("nix hash convert"),
  step("nix hash file"),
];

const stores: readonly Step[] = [
  step("nix store add-file file", { save: "FILE" }),
  step("nix store add-file dir", { messages: false }),
  step("nix store add-path dir --name other", { save: "DIR" }),
  step("nix store add-path nowhere"),
  step("nix store add file --mode flat"),
  step("nix store add nowhere"),
  step("nix path-info $TWO --json"),
  step("nix path-info -rsSh $TWO"),
  step(`nix path-info ${missing}`),
  step("nix store ls $DIR --json"),
  step("nix store ls $DIR -lR"),
  step("nix store cat $FILE"),
  step("nix store cat $DIR/nowhere"),
  step("nix store dump-path $DIR"),
  step(`nix store dump-path ${missing}`, { messages: false }),
  step("nix nar pack dir", { output: "dir.nar" }),
  step("nix nar pack nowhere", { compares: false }),
  step("nix nar dump-path dir"),
  step("nix nar dump-path nowhere", { compares: false }),
  step("nix nar ls dir.nar / --json"),
  step("nix nar ls dir.nar /nowhere", { messages: false }),
  step("nix nar cat dir.nar /a"),
  step("nix nar cat dir.nar /nowhere"),
  step("nix store diff-closures $ONE $TWO"),
  step(`nix store diff-closures $ONE ${missing}`),
  step("nix store sign -k $WORK/secret.key $ONE"),
  step("nix store sign -k $WORK/file $ONE", { messages: false }),
  step("nix store verify $ONE $TWO"),
  step("nix store verify --sigs-needed 1 $TWO"),
  step(`nix store verify ${missing}`),
  step(`nix store repair ${missing}`),
  step("nix store repair $ONE"),
  step("nix store optimise", { messages: false }),
  step("nix store info --json", { compares: false }),
  step("nix store info --store nonsense://"),
  step("nix store path-from-hash-part 26ypbv0ngv6p16n6rvkd5xyhr6724csi"),
  step("nix store make-content-addressed $TWO --json"),
  step(`nix store make-content-addressed ${missing}`),
  step("nix store prefetch-file file://$WORK/file --json"),
  step("nix store prefetch-file file://$WORK/nowhere", { messages: false }),
  step("nix copy --to file://$WORK/cache $TWO"),
  step("nix copy --from file://$WORK/cache $TWO --no-check-sigs"),
  step("nix copy $TWO"),
  step(`nix copy --to file://$WORK/cache ${missing}`),
  step("nix store copy-sigs -s file://$WORK/cache $ONE"),
  step("nix store copy-sigs $ONE"),
  step("nix store copy-log --to file://$WORK/cache $TWO"),
  step("nix store copy-log $TWO"),
  step("nix store path-from-hash-part pzghf3za3xr8safwakbq7wfghxnl1gix"),
  step("nix store delete $FILE", { messages: false }),
  step(`nix store delete ${missing}`, { messages: false }),
  step("nix store delete $WORK/file"),
];

const profile = "--profile $WORK/profile";
const profiles: readonly Step[] = [
  step(`nix profile add ${profile} ${flakeUrl}#nope`),
  step(`nix profile list ${profile} --json`),
  step(`nix profile upgrade ${profile} nope`),
  step(`nix profile remove ${profile} nope`),
  step(`nix profile diff-closures ${profile}`),
  step(`nix profile rollback ${profile}`),
  step(`nix profile rollback ${profile} --to 99`),
  step(`nix profile history ${profile}`),
  step(`nix profile wipe-history ${profile}`),
  step(`nix profile add ${profile} ${flakeUrl}#one --priority x`),
  step(`nix profile rollback ${profile} --to 1K`),
];

const settings: readonly Step[] = [
  step("nix config show cores --cores 3"),
  step("nix config show nope"),
  step("nix config show cores --json"),
  step("nix help nope", { messages: false }),
  step("nix nope"),
  step(`nix registry add ${registry} mine path:/somewhere`),
  step(`nix registry add ${registry} mine nonsense://`),
  step(`nix registry add ${registry} mine ./f`),
  step(`nix registry add ${registry} ./f path:/somewhere`),
  step(`nix registry add ${registry} mine $WORK/f`),
  step(`nix registry pin ${registry} ./f`),
  step(`nix registry remove ${registry} ./f`),
  step("nix registry list", { compares: false }),
  step(`nix registry pin ${registry} nope`),
  step(`nix registry remove ${registry} nope`),
  step(`nix registry remove ${registry} mine`),
  step("nix registry resolve path:$WORK/f"),
  step("nix registry resolve nope"),
  step("nix registry resolve"),
  step(`nix registry add ${registry} a/b/c path:/somewhere`),
];

const old: readonly Step[] = [
  step("nix-build t.nix --no-out-link"),
  step("nix-instantiate t.nix"),
  step("nix-channel --list"),
  step("nix-channel --add"),
  step("nix-channel --nonsense", { messages: false }),
  step("nix-channel --remove nope"),
  step("nix-collect-garbage --dry-run", { compares: false }),
  step("nix-collect-garbage --nonsense"),
  step("nix-copy-closure $ONE", { messages: false }),
  step("nix-hash --type sha256 file"),
  step("nix-prefetch-url --nonsense"),
  step("nix-shell --nonsense"),
  step("nix-daemon --nonsense"),
  step("nix-env --nonsense"),
];

const refused: readonly Step[] = [
  step("nix why-depends $TWO"),
  step("nix store optimise --nonsense"),
  step("nix nar pack"),
  step("nix nar dump-path"),
  step("nix help-stores --nonsense"),
  step("nix config check --nonsense"),
  step("nix registry list --nonsense"),
  step("nix registry remove"),
  step(`nix registry pin ${registry} path:$WORK/f`, { messages: false }),
  step(`nix print-dev-env ${flakeUrl}#nope`),
  ...["list", "remove", "upgrade", "history", "wipe-history", "diff-closures"].map((name) =>
    step(`nix profile ${name} --nonsense`),
  ),
];

/** The suite. */
export const everyCommandSteps: StepSuite = {
  files: everyCommandFiles,
  steps: [
    ...building,
    ...severalBuilds,
    ...named,
    ...formatting,
    ...flakes,
    ...derivations,
    ...hashes,
    ...stores,
    ...profiles,
    ...settings,
    ...old,
    ...refused,
    step("nix store gc", { compares: false }),
    step("nix store gc --max nonsense", { messages: false }),
  ],
};
