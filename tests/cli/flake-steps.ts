/** The steps of tests/cli/flake-commands.test.ts, which scripts/record-steps.ts runs in the reference. */
import { type StepSuite, step } from "../support/steps.ts";

const helpers = `d = n: derivation { name = n; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }`;

/** A flake with one output of each kind, and its neighbours by system. */
const all = `{
  description = "every kind";
  inputs.dep.url = "path:./dep";
  outputs = { self, dep }: let
    ${helpers} // { meta.description = "what \${n} is"; };
    forSystems = v: { x86_64-linux = v; aarch64-linux = v; };
  in {
    packages = forSystems { default = d "p"; "a.b" = d "o-1.2"; };
    checks = forSystems { c = d "c"; };
    devShells = forSystems { default = d "sh"; };
    apps = forSystems { a = { type = "app"; program = "/nix/store/x/bin/y"; meta.description = "an app"; }; };
    formatter = forSystems (d "fmt");
    legacyPackages = forSystems { l = d "l"; set.m = d "m"; };
    overlays.default = final: prev: { };
    nixosModules.m = { };
    nixosConfigurations.host.config.system.build.toplevel = d "top";
    templates.t = { path = ./template; description = "a template"; welcomeText = "# Hi"; };
    bundlers = forSystems { default = drv: d "bundled"; };
    hydraJobs = { job = d "j"; nested.other = d "k"; };
    lib.f = x: x;
    empty = { };
  };
}
`;

/** A flake in which everything is wrong. */
const wrong = `{
  outputs = _: let ${helpers}; in {
    apps.x86_64-linux = { a = { }; b = 1; c = { type = "app"; program = "x"; more = 1; }; };
    checks = { nowhere = { }; x86_64-linux.b = 1; };
    overlay = 1;
    overlays = { a = x: y: { }; c = { final }: prev: 1; };
    nixosModule = throw "m";
    nixosConfigurations.a.config = 1;
    nixosConfigurations.b.config.system.build.toplevel = 1;
    templates = { a = { }; b = { path = ./nope; description = "x"; }; c = { path = ./.; description = 1; }; };
    bundlers.x86_64-linux.x = 1;
    hydraJobs = d "h";
    packages.x86_64-linux.q = throw "q";
    defaultPackage.x86_64-linux = 1;
  };
}
`;

/** Outputs that are wrong, or seem so, each in a flake of its own. */
const outputs = [
  'packages.x86_64-linux.a = { type = "derivation"; };',
  'packages.x86_64-linux."1a" = d "x";',
  'packages.x86_64-linux.a = d "x" // { meta = throw "m"; };',
  'apps.x86_64-linux.a = { type = "app"; program = 1; meta = { }; };',
  'apps.x86_64-linux.a = { type = "app"; program = ./flake.nix; meta = { }; };',
  "apps.x86_64-linux.a = { type = 1; };",
  "packages.x86_64-linux.a = 1;",
  'templates.a = { path = "x"; description = "x"; };',
  'hydraJobs.a = { type = "derivation"; };',
];
const shownOutputs = outputs.map((_, index) => `outputs${index}`);

/** Lock files that are none. */
const locks = [
  '{ "version": 99 }',
  "{ }",
  '{ "nodes": { "root": { "inputs": { "dep": "nope" } } }, "root": "root", "version": 7 }',
];
const locked = locks.map((_, index) => `lock${index}`);

/** References that are none, or that lead nowhere. */
const references = [
  "./nowhere",
  "./all#x",
  "path:./all?nope=1",
  "path:./all?rev=1",
  "path:./all?revCount=x",
  "path:./all?narHash=nonsense",
  "path:./all?narHash=sha256-AAAA",
  "path:./all?narHash=sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  "path:./all?narHash=",
  "path:./all?narHash=sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  "path:./all/template",
  "github:nope",
  "github:a/b?rev=xyz",
  "github:a/b/c?ref=d",
  "github:a/b?ref=%20",
  "a/b/c",
  "a/b/c/d",
  "%%%",
  "file+file://$WORK/t.nix",
  "tarball+file://$WORK/nope.tar.gz",
  "git+file://$WORK/nope",
];

/** What installables give when they are nothing to build. */
const installables = ["lib.f", "empty", "a.b", "defaul", "default^", "default^*,dev", "default^nope"];

/** Texts of flake.nix that are mistakes, each in a directory of its own. */
const mistakes = [
  "{ inputs = 1; outputs = _: { }; }",
  "{ inputs.a = 1; outputs = _: { }; }",
  "{ inputs.a.url = 1; outputs = _: { }; }",
  "{ inputs.a.flake = 1; outputs = _: { }; }",
  "{ inputs.a.follows = 1; outputs = _: { }; }",
  "{ inputs.a.inputs = 1; outputs = _: { }; }",
  "{ inputs.a.inputs.b = 1; outputs = _: { }; }",
  "{ inputs.a.inputs.self = { }; outputs = _: { }; }",
  "{ inputs.self = 1; outputs = _: { }; }",
  '{ inputs.self.x = "a"; outputs = _: { }; }',
  '{ inputs.a.zz = "1"; inputs.a.b = "2"; outputs = _: { }; }',
  '{ inputs.a = { type = "path"; path = "/x"; nope = 1; }; outputs = _: { }; }',
  '{ inputs.a = { type = "git"; url = "/x"; shallow = [ ]; }; outputs = _: { }; }',
  '{ inputs.a = { type = "git"; url = "/x"; lastModified = -1; }; outputs = _: { }; }',
  '{ inputs.a.url = "nope:::/x"; outputs = _: { }; }',
  "{ description = 1; outputs = _: { }; }",
  "{ outputs = 1; }",
  "{ nixConfig = 1; outputs = _: { }; }",
  "{ nixConfig.a = { }; outputs = _: { }; }",
  "{ nixConfig.a = [ 1 ]; outputs = _: { }; }",
  "{ nixConfig.a = 1 + 1; outputs = _: { }; }",
  "{ a = 1; outputs = _: { }; }",
  '{ description = "x"; }',
  '{ inputs.a = { url = "path:/x"; follows = "b"; }; outputs = _: { }; }',
  '{ inputs.a.inputs.b = { url = "path:/x"; follows = "b"; }; outputs = _: { }; }',
  "{ inputs.a.url = /x; outputs = _: { }; }",
  '{ inputs.a.url = "a" + "b"; outputs = _: { }; }',
  "{ inputs.a.flake = !true; outputs = _: { }; }",
  'rec { description = "x"; inputs.a.url = description; outputs = _: { }; }',
  '{ inputs = rec { a.url = b; b = "x"; }; outputs = _: { }; }',
  "{ inputs = builtins.listToAttrs [ ]; outputs = _: { }; }",
  '{ inputs."${"a"}".url = "x"; outputs = _: { }; }',
  "{ outputs = import ./x.nix; }",
  '{ description = "x" + "y"; outputs = _: { }; }',
  "{ inputs.a = let x = 1; in { }; outputs = _: { }; }",
  "{ inputs.a = null; outputs = _: { }; }",
  '{ inputs.a.url = "x${"y"}"; outputs = _: { }; }',
];
const mistaken = mistakes.map((_, index) => `mistake${index}`);

export const flakeSteps: StepSuite = {
  files: {
    ...Object.fromEntries(mistakes.map((text, index) => [`${mistaken[index]}/flake.nix`, `${text}\n`])),
    ...Object.fromEntries(
      outputs.map((text, index) => [
        `${shownOutputs[index]}/flake.nix`,
        `{\n  outputs = _: let\n    ${helpers};\n  in {\n    ${text}\n  };\n}\n`,
      ]),
    ),
    ...Object.fromEntries(locks.map((text, index) => [`${locked[index]}/flake.lock`, `${text}\n`])),
    ...Object.fromEntries(locked.map((name) => [`${name}/flake.nix`, "{ outputs = _: { }; }\n"])),
    "all/flake.nix": all,
    "all/dep/flake.nix": "{ outputs = _: { v = 1; }; }\n",
    "all/template/a": "file\n",
    "all/template/d/b": "deep\n",
    "wrong/flake.nix": wrong,
    "failing/flake.nix": `{
  outputs = _: let ${helpers}; in {
    legacyPackages.x86_64-linux = { a = throw "a"; b = d "b"; c = { recurseForDerivations = true; d = throw "d"; }; };
  };
}
`,
    "literals/flake.nix": `{
  inputs = { sub.url = ./sub; deep.url = ./sub/deep; file = { url = ./sub/file; flake = false; }; };
  outputs = { self, sub, deep, file }: { v = [ sub.v deep.v (builtins.readFile file) ]; };
}
`,
    "literals/sub/flake.nix": `{ inputs.here.url = ./deep; outputs = _: { v = 1; }; }\n`,
    "literals/sub/deep/flake.nix": `{ outputs = _: { v = 2; }; }\n`,
    "literals/sub/file": "contents",
    "unlocked/flake.nix": `{ outputs = { self, a }: { }; }\n`,
    "unlocked/flake.lock": `{ "nodes": {
  "a": { "locked": { "type": "git", "url": "file:///nowhere" }, "original": { "type": "indirect", "id": "a" } },
  "root": { "inputs": { "a": "a" } }
}, "root": "root", "version": 7 }
`,
    "old/flake.nix": `{ inputs.a.url = "git+file:///nowhere?dir=d"; outputs = { self, a }: { x = 1; }; }\n`,
    "old/flake.lock": `{ "nodes": {
  "a": {
    "locked": {
      "dir": "d", "lastModified": 1, "narHash": "sha256-9aIDvIdyHAfQyvT5SwPgYxUUhf1GwQVAWq+qa5LcEQE=", "ref": "refs/heads/master",
      "rev": "432058dbfc82b0369bc9cce440e4af2aece52b54", "revCount": 1, "type": "git", "url": "file:///nowhere?dir=d"
    },
    "original": { "dir": "d", "type": "git", "url": "file:///nowhere?dir=d" }
  },
  "root": { "inputs": { "a": "a" } }
}, "root": "root", "version": 7 }
`,
    "config/flake.nix": `{ nixConfig = { bash-prompt = "x"; cores = 3; extra-substituters = [ ]; }; outputs = _: { x = 1; }; }\n`,
    "t.nix": `let ${helpers}; in {
  a = d "a"; nested = { recurseForDerivations = true; b = d "b"; }; hidden.c = d "c"; list = [ (d "l1") (d "l2") ];
  many = derivation { name = "m"; system = "x86_64-linux"; builder = "/bin/sh"; outputs = [ "out" "dev" ]; args = [ "-c" "echo > $out; echo > $dev" ]; };
  fails = derivation { name = "fails"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo line; exit 3" ]; };
  bad = { recurseForDerivations = 1; };
}
`,
  },
  steps: [
    step("nix flake lock path:$WORK/all", { compares: false }),
    step("nix flake show path:$WORK/all --json"),
    step("nix flake show path:$WORK/all --json --all-systems --legacy"),
    step("nix flake metadata path:$WORK/all --json", { compares: false }),
    step("nix flake check path:$WORK/all --no-build", { compares: false }),
    step("nix flake check path:$WORK/wrong --keep-going", { compares: false }),
    step("nix flake check path:$WORK/wrong"),
    step("nix flake init", { compares: false }),
    step("nix flake new made -t path:$WORK/all#t"),
    step("nix flake new made -t path:$WORK/all#t"),
    step("nix flake new made -t path:$WORK/all#nope"),
    step("nix flake clone path:$WORK/all"),
    step("nix eval path:$WORK/config#x"),
    step("nix eval path:$WORK/config#x --accept-flake-config"),
    step("nix edit path:$WORK/all#default"),
    step("nix run path:$WORK/all#packages.x86_64-linux.a"),
    step("nix run path:$WORK/all#lib.f"),
    step("nix-build t.nix --dry-run"),
    step("nix-build t.nix -A list --dry-run"),
    step("nix-build t.nix -A hidden --dry-run"),
    step("nix-build t.nix -A bad"),
    step("nix-build t.nix -A nope"),
    step("nix-build nope.nix"),
    step("nix-build -E 1"),
    step("nix-build --nonsense"),
    step("nix-instantiate t.nix"),
    step("nix-instantiate t.nix -A list -A many.dev"),
    step("nix-instantiate t.nix -A bad"),
    step("nix build -f t.nix list --dry-run"),
    step("nix eval -f - a.name", { input: "t.nix" }),
    step("nix config check", { compares: false }),
    step("nix doctor", { compares: false }),
    step("nix show-config cores"),
    ...mistaken.map((name) => step(`nix flake metadata path:$WORK/${name}`)),
    ...shownOutputs.flatMap((name) => [
      step(`nix flake check path:$WORK/${name}`),
      step(`nix flake show path:$WORK/${name} --json`),
    ]),
    ...locked.map((name) => step(`nix flake metadata path:$WORK/${name}`)),
    ...references.map((reference) => step(`nix flake metadata ${reference}`)),
    ...installables.map((fragment) => step(`nix build path:$WORK/all#${fragment} --no-link`)),
    step("nix build /nix/store/bad"),
    step("nix build /nix/store/26ypbv0ngv6p16n6rvkd5xyhr6724csi-nope.drv^out"),
    step("nix flake lock path:$WORK/all --recreate-lock-file --update-input dep --no-registries"),
    step("nix flake lock path:$WORK/all --reference-lock-file nope.lock"),
    step("nix flake update dep dep --flake path:$WORK/all"),
    step("nix flake update ./all"),
    step("nix flake clone path:$WORK/all --dest cloned"),
    step("nix flake clone path:$WORK/all --dest cloned"),
    step("nix flake show path:$WORK/failing --json --legacy"),
    step("nix eval path:$WORK/literals#v"),
    { words: ["nix", "eval", "--impure", "--raw", "--expr", "builtins.readFile $WORK/literals/flake.lock"] },
    step("nix flake lock path:$WORK/unlocked"),
    step("nix eval path:$WORK/old#x"),
    step("nix eval path:$WORK/config?a&b=&c&?#x"),
    step("nix eval ./config?a&b=&c#x"),
    step("nix registry list"),
    ...[
      "--set-env-var A b --set-env-var A c",
      "--set-env-var A b --unset-env-var A",
      "--unset-env-var A --set-env-var A b",
    ].map((flags) => step(`nix develop path:$WORK/all ${flags} --command true`)),
    ...['{ type = "foo"; }', '{ type = "github"; }', "{ }"].map((attributes) => ({
      words: ["nix", "eval", "--expr", `builtins.flakeRefToString ${attributes}`],
    })),
  ],
};
