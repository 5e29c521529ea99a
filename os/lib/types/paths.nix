# Paths and packages.
{ lib, core }:
let
  inherit (builtins) isPath isString;
  inherit (core) addCheck defaultFunctor mkOptionType;
  inherit (lib)
    isDerivation
    isStorePath
    isStringLike
    mergeEqualOption
    types
    ;

  # Inside the store, or one of the names directly in it; not the store itself, not its `.links`.
  inStoreDirectory = text: builtins.match "${lib.escapeRegex builtins.storeDir}/[^/.][^/]*(/.*)?" text != null;
in
{
  path = types.pathWith { absolute = true; };
  pathInStore = types.pathWith { inStore = true; };
  externalPath = types.pathWith {
    absolute = true;
    inStore = false;
  };
  pathWith =
    {
      inStore ? null,
      absolute ? null,
    }:
    if inStore == true && absolute == false then
      throw "In pathWith, inStore means the path must be absolute"
    else
      mkOptionType {
        name = "path";
        description =
          (if absolute == null then "" else if absolute then "absolute " else "relative ")
          + "path"
          + (if inStore == null then "" else if inStore then " in the Nix store" else " not in the Nix store");
        descriptionClass = "noun";
        merge = mergeEqualOption;
        functor = defaultFunctor "path" // {
          type = types.pathWith;
          payload = { inherit inStore absolute; };
          binOp = mine: theirs: if mine == theirs then mine else null;
        };
        # A path value that must not be in the store could still be copied there, so only a string will do.
        check =
          value:
          let
            text = builtins.unsafeDiscardStringContext (toString value);
          in
          (if inStore == false then isString value else isStringLike value)
          && (inStore == null || inStore == inStoreDirectory text)
          && (absolute == null || absolute == (builtins.substring 0 1 text == "/"));
      };

  package = mkOptionType {
    name = "package";
    descriptionClass = "noun";
    check = value: isDerivation value || isStorePath value;
    merge =
      location: definitions:
      let
        value = lib.mergeOneOption location definitions;
      in
      if isPath value || (isString value && !builtins.hasContext value) then lib.toDerivation value else value;
  };
  shellPackage = types.package // { check = value: isDerivation value && value ? shellPath; };
  pkgs =
    addCheck (
      types.unique { message = "A Nixpkgs pkgs set can not be merged with another pkgs set."; } types.attrs
      // {
        name = "pkgs";
        descriptionClass = "noun";
        description = "Nixpkgs package set";
      }
    ) (value: (value._type or null) == "pkgs");
}
