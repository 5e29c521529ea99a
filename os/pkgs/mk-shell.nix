# Environments of Debian packages to develop in, for `firn develop`: mkShell { packages = [ "gcc" "make" ]; shellHook = "…"; }.
# Further attributes are variables of the shell.
{ debEnv, system }:
{
  name ? "shell",
  # Names of Debian packages.
  packages ? [ ],
  ...
}@attributes:
let
  environment = debEnv {
    name = "${name}-packages";
    packages = [ "bash" ] ++ packages;
  };
in
derivation (
  removeAttrs attributes [ "packages" ]
  // {
    inherit name system environment;
    # The launcher of the environment's own bash.
    builder = "${environment}/nix-support/profile/bin/bash";
    args = [ "-c" "export > $out" ];
    outputs = [ "out" ];
    stdenv = ./shell;
  }
)
