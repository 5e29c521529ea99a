# The configuration that a module makes: NixOS's when its modules are found on the search path, as nixos-rebuild does; else that of the
# set that comes with Firn, whose function lies in the file `evalConfig`, null when there is none.
{ module, evalConfig }:
let
  nixos = builtins.tryEval <nixpkgs/nixos>;
in
if nixos.success then
  import nixos.value { configuration = module; }
else if evalConfig == null then
  throw "neither <nixpkgs> nor Firn's own modules were found"
else
  import evalConfig { modules = [ module ]; }
