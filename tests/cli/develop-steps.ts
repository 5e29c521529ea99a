/** The steps of tests/cli/develop.test.ts, which scripts/record-steps.ts runs in the reference. */
import type { StepSuite } from "../support/steps.ts";

const shell = `{
  outputs = _: let
    shell = attributes: derivation ({
      name = "thing-1.0"; system = "x86_64-linux"; builder = "/bin/bash"; outputs = [ "out" "dev" ]; stdenv = ./stdenv;
      shellHook = "echo hook"; pname = "thing"; buildInputs = [ ];
    } // attributes);
  in {
    devShells.x86_64-linux.default = shell { foo = "bar \n baz"; passAsFile = [ "foo" ]; };
    devShells.x86_64-linux.structured = shell { __structuredAttrs = true; list = [ 1 2 ]; set.x = "y"; };
    packages.x86_64-linux.other = derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; };
  };
}
`;

const setup = `export PATH=/usr/bin:/bin
runHook() { if [ "$(type -t "$1")" = function ]; then "$1"; fi; }
buildPhase() {
    echo building "$pname" 'a b'
}
declare -a arr=(1 "two words" $'new\\nline')
declare -A map=([k]=v)
declare -i number=5
declare -r fixed=1
plain=5
declare nothing
export exported="ex 'quoted' \\"double\\" \\\\ back"
weird=$'tab\\tnl\\nend'
`;

const withInput = `{
  inputs.nixpkgs.url = "path:/nowhere";
  outputs = { nixpkgs, ... }: {
    devShells.x86_64-linux.default = derivation {
      name = "with-input"; system = "x86_64-linux"; builder = "/bin/bash"; stdenv = ./stdenv; outputs = [ "out" ];
    };
  };
}
`;

const nixpkgs = `{
  outputs = _: {
    legacyPackages.x86_64-linux.bashInteractive = derivation {
      name = "bash-interactive"; system = "x86_64-linux"; builder = "/bin/bash"; PATH = "/usr/bin:/bin";
      args = [ "-c" "mkdir -p $out/bin; cp /bin/bash $out/bin/bash" ];
    };
  };
}
`;

const input = ["--override-input", "nixpkgs", "path:$WORK/nixpkgs"];
const sandbox = ["--option", "sandbox-paths", "/bin /lib /lib64? /usr"];

/** The environments of development shells. */
export const developSteps: StepSuite = {
  files: {
    "shell/flake.nix": shell,
    "shell/stdenv/setup": setup,
    "with/flake.nix": withInput,
    "with/stdenv/setup": setup,
    "nixpkgs/flake.nix": nixpkgs,
  },
  steps: [
    { words: ["nix", "print-dev-env", "path:$WORK/shell", "--json", ...sandbox] },
    { words: ["nix", "print-dev-env", "path:$WORK/shell", ...sandbox] },
    { words: ["nix", "print-dev-env", "path:$WORK/shell#structured", "--json", ...sandbox] },
    { words: ["nix", "print-dev-env", "path:$WORK/shell#structured", ...sandbox] },
    { words: ["nix", "develop", "path:$WORK/shell#other"] },
    { words: ["nix", "develop", "path:$WORK/shell", "--phase", "build", "-c", "true", ...sandbox] },
    { words: ["nix", "develop", ...sandbox, "path:$WORK/with", ...input, "-c", "true"], compares: false },
    {
      words: ["nix", "develop", ...sandbox, "path:$WORK/with", ...input, "-c", "printenv", "SHELL"],
      compares: false,
      output: "shell.txt",
    },
  ],
};
