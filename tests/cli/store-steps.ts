/** The steps of tests/cli/store-commands.test.ts, which scripts/record-store.ts runs in the reference. */

/** One command; `$NAME` in its words stands for what an earlier step printed, `$WORK` for the working directory. */
export interface Step {
  /** The name of the program that is called, and its arguments. */
  readonly words: readonly string[];
  /** The name under which the first line that it prints is kept. */
  readonly save?: string;
  /** A file of the working directory that standard input comes from. */
  readonly input?: string;
  /** A file of the working directory that its output is written to as well. */
  readonly output?: string;
  /** False when the messages depend on the machine or on what ran before (default true). */
  readonly compares?: boolean;
}

/** The files of the working directory. */
export const files: Readonly<Record<string, string>> = {
  "t.nix": `rec {
  a = derivation { name = "dep-a"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo a > $out" ]; };
  top = derivation {
    name = "top"; system = "x86_64-linux"; builder = "/bin/sh"; outputs = [ "out" "dev" ]; inherit a; FOO = "bar \\" x";
    args = [ "-c" "echo building; echo $out $a > $out; echo $a > $dev" ];
  };
  other = derivation { name = "other-1.0"; system = "x86_64-linux"; builder = "/bin/sh"; top = top.dev; args = [ "-c" "echo $top > $out" ]; };
}
`,
  "src/f": "hi\n",
  "src/d/g": "there\n",
};

const missing = "/nix/store/26ypbv0ngv6p16n6rvkd5xyhr6724csi-nope";

function step(line: string, more: Omit<Step, "words"> = {}): Step {
  return { words: line.split(" "), ...more };
}

/** The steps, in order. */
export const steps: readonly Step[] = [
  step("nix-instantiate t.nix -A top", { save: "DRV", compares: false }),
  step("nix-instantiate t.nix -A a", { save: "ADRV", compares: false }),
  step("nix-store -r $DRV --add-root $WORK/result", { compares: false }),
  step("nix-store -r $ADRV", { save: "A", compares: false }),
  step("nix-store -q $DRV", { compares: false }),
  step("nix-store -q --resolve result", { save: "OUT" }),
  step("nix-store -q --resolve result-dev", { save: "DEV" }),
  step("nix-store -r $DRV!nope"),
  step(`nix-store -r ${missing} --dry-run --ignore-unknown`),
  step("nix-store -q --outputs $DRV"),
  step("nix-store -q --references $OUT $DRV"),
  step("nix-store -qR $DRV"),
  step("nix-store -qR --include-outputs $DRV"),
  step("nix-store -q --referrers $A"),
  step("nix-store -q --referrers-closure $A"),
  step("nix-store -qd $OUT $A $DRV"),
  step("nix-store -q --valid-derivers $OUT"),
  step("nix-store -q --graph $OUT $DRV"),
  step("nix-store -q --graphml $OUT $DRV"),
  step("nix-store -q --tree $OUT $DRV"),
  step("nix-store -q -b FOO $OUT"),
  step("nix-store -q -b NOPE $DRV"),
  step("nix-store -q --hash -u $DRV"),
  step("nix-store -q --size $OUT $DRV"),
  step("nix-store -q --roots $OUT"),
  step("nix-store -q -R --size $OUT"),
  step("nix-store -q --bogus"),
  step("nix-store -q /etc"),
  step(`nix-store -q --hash ${missing}`),
  step("nix-store --print-env $DRV"),
  step("nix-store --read-log $OUT"),
  step(`nix-store -l ${missing}`),
  step("nix-store --add src src/f"),
  step("nix-store --add-fixed sha256 src/f"),
  step("nix-store --add-fixed --recursive sha1 src"),
  step("nix-store --add-fixed"),
  step("nix-store --print-fixed-path sha256 98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4 f"),
  step("nix-store --print-fixed-path sha256 x"),
  step("nix-store --dump src", { output: "src.nar" }),
  step("nix-store --restore copy", { input: "src.nar" }),
  step("nix-store --dump copy"),
  step("nix-store --export $A $OUT", { output: "paths.export" }),
  step("nix-store --import", { input: "paths.export" }),
  step("nix-store --import", { input: "t.nix", compares: false }),
  step("nix-store --dump-db $A $DRV", { output: "db" }),
  step("nix-store --load-db", { input: "db" }),
  step("nix-store --check-validity $A"),
  step(`nix-store --check-validity ${missing}`),
  step(`nix-store --check-validity --print-invalid $A ${missing}`),
  step("nix-store --verify-path $A $OUT"),
  step("nix-store --verify --check-contents"),
  step("nix-store --verify x"),
  step("nix-store --verify-path --foo"),
  step("nix-store --gc --print-roots"),
  step("nix-store --gc --print-dead --max-freed 1"),
  step("nix-store --gc --foo"),
  step("nix-store --gc --max-freed 1x"),
  step("nix-store --delete $A"),
  step("nix-store --generate-binary-cache-key k"),
  step("nix-store --init"),
  step("nix-hash src"),
  step("nix-hash --flat --type sha256 --base32 src/f"),
  step("nix-hash --type sha512 --truncate --base32 src"),
  step("nix-hash --type sha1 --base32 --sri src src/f"),
  step("nix-hash --to-base16 sha256-mOpuTyFvL7S2n/+bOkSELDhobKaF8/VdxIxdP7EQe+Q="),
  step("nix-hash --to-base16 xyz"),
  step("nix hash to-base32 sha256-mOpuTyFvL7S2n/+bOkSELDhobKaF8/VdxIxdP7EQe+Q="),
  step("nix hash path --format nix32 src"),
  step("nix hash path --sri --base16 --mode flat src/f"),
  step("nix hash path --format foo src"),
  step("nix-prefetch-url file://$WORK/src/f"),
  step("nix-prefetch-url --type sha1 --name g --print-path file://$WORK/src/f"),
  step("nix-prefetch-url --executable --print-path file://$WORK/src/f"),
  step("nix-prefetch-url"),
  step("nix store prefetch-file --json file://$WORK/src/f"),
  step("nix store ls -lR $A"),
  step("nix store ls /etc"),
  step("nix store cat $OUT"),
  step("nix nar ls -lR src.nar /"),
  step("nix nar ls --json -R src.nar /"),
  step("nix nar ls src.nar d"),
  step("nix nar cat src.nar /d/g"),
  step("nix nar cat src.nar /d"),
  step("nix why-depends $OUT $A"),
  step("nix why-depends --all --precise $OUT $A"),
  step("nix why-depends $A $OUT"),
  step("nix store diff-closures $A $OUT"),
  step("nix store make-content-addressed --json $OUT"),
  step("nix store path-from-hash-part 26ypbv0ngv6p16n6rvkd5xyhr6724csi"),
  step("nix store path-from-hash-part 26"),
  step("nix copy --to file://$WORK/cache $OUT"),
  step("nix path-info --store file://$WORK/cache -Ssh $OUT"),
  step("nix path-info --store file://$WORK/cache --all"),
  step("nix store copy-log --to file://$WORK/cache $DRV"),
  step("nix store copy-log $DRV"),
  step("nix store copy-sigs -s file://$WORK/cache $OUT"),
  step("nix store copy-sigs $OUT"),
  step("nix derivation show $DRV", { compares: false }),
  step("nix store verify --sigs-needed 1 $OUT"),
  {
    words: [
      "nix",
      "eval",
      "--impure",
      "--raw",
      "--expr",
      'builtins.path { path = builtins.storePath $OUT; name = "copy"; }',
    ],
    save: "COPY",
  },
  step("nix-store -q --references $COPY"),
  step("nix-collect-garbage --foo"),
  step("nix-copy-closure"),
];
