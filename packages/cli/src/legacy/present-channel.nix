# The package of a channel that is installed and stays as it is.
{ name, path }:
let
  outPath = builtins.storePath path;
in
{
  inherit name outPath;
  type = "derivation";
  outputs = [ "out" ];
  system = "builtin";
  out = { inherit outPath; };
}
