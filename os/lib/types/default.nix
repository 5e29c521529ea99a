# All option types. Each file gives some; they find one another through lib.types.
{ lib }:
let
  core = import ./core.nix { inherit lib; };
  part = file: import file { inherit lib core; };
in
{
  inherit (core)
    mkOptionType
    isOptionType
    defaultFunctor
    defaultTypeMerge
    mergeTypes
    optionDescriptionPhrase
    addCheck
    ;
  inherit (lib) isType setType;
  types = lib.types;
}
// part ./scalars.nix
// part ./strings.nix
// part ./paths.nix
// part ./collections.nix
// part ./unions.nix
// part ./modules.nix
