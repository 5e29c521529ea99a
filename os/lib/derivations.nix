# Packages: what of them module code asks.
{ lib }:
rec {
  isDerivation = value: builtins.isAttrs value && (value.type or null) == "derivation";
  toDerivation =
    path:
    let
      stored = builtins.storePath path;
    in
    {
      type = "derivation";
      name = builtins.unsafeDiscardStringContext (builtins.substring 33 (-1) (baseNameOf stored));
      outPath = stored;
      outputs = [ "out" ];
      outputName = "out";
      out = toDerivation path;
    };
  getOutput =
    output: package:
    if builtins.isAttrs package && !(package.outputSpecified or false) then
      package.${output} or package.out or package
    else
      package;
  getBin = getOutput "bin";
  getLib = getOutput "lib";
  getDev = getOutput "dev";
  getMan = getOutput "man";
  getExe =
    package:
    getExe' package (
      package.meta.mainProgram
        or (lib.warn "getExe: Package ${lib.escapeNixString (package.meta.name or package.pname or package.name)} does not have the meta.mainProgram attribute. Assuming you want '${lib.getName package}'." (lib.getName package))
    );
  getExe' =
    package: program:
    if lib.hasInfix "/" program then
      throw "lib.meta.getExe': The second argument \"${program}\" is a nested path with a \"/\" character, but it should just be the name of the executable instead."
    else
      "${getBin package}/bin/${program}";
  hiPrio = setPrio (-10);
  lowPrio = setPrio 10;
  setPrio = priority: package: package // { meta = (package.meta or { }) // { inherit priority; }; };
}
