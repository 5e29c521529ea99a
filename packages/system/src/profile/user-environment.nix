# The derivation of a user environment, from its packages and their manifest.
{ packages, manifest }:
let
  entryOf =
    package:
    [
      (package.meta.active or "true")
      (package.meta.priority or 5)
      (builtins.length package.outputs)
    ]
    ++ map (output: package.${output}) package.outputs;
in
derivation {
  name = "user-environment";
  system = "builtin";
  builder = "builtin:buildenv";
  derivations = map entryOf packages;
  inherit manifest;
  allowSubstitutes = false;
  preferLocalBuild = true;
}
