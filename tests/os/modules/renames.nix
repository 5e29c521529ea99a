# Options that moved, changed or went.
{ lib, config, evaluate, ... }:
let
  inherit (lib)
    mkDefault
    mkForce
    mkOption
    types
    ;
  misc.options = {
    warnings = mkOption { type = types.listOf types.str; default = [ ]; };
    assertions = mkOption { type = types.listOf types.unspecified; default = [ ]; };
  };
  new = { options.new.name = mkOption { type = types.str; default = "none"; }; };
  of = modules: config ([ misc new ] ++ modules);
  renamed = lib.mkRenamedOptionModule [ "old" ] [ "new" "name" ];
in
{
  renamed = (of [ renamed { _file = "here.nix"; old = "x"; } ]).new.name;
  renamedWarns = (of [ renamed { _file = "here.nix"; old = "x"; } ]).warnings;
  renamedUnused = (of [ renamed ]).warnings;
  renamedRead = (of [ renamed { new.name = "y"; } ]).old;
  renamedPriority = (of [ renamed { old = mkForce "x"; } { new.name = "y"; } ]).new.name;
  renamedDefault = (of [ renamed { old = mkDefault "x"; } { new.name = "y"; } ]).new.name;
  renamedBoth = (of [ renamed { old = "x"; } { new.name = "y"; } ]).new.name;
  renamedNowhere = (config [ misc (lib.mkRenamedOptionModule [ "old" ] [ "nowhere" ]) { old = "x"; } ]).warnings;
  alias = let result = of [ (lib.mkAliasOptionModule [ "other" ] [ "new" "name" ]) { other = "x"; } ]; in [ result.new.name result.other result.warnings ];
  removed = map (assertion: assertion.assertion) (of [ (lib.mkRemovedOptionModule [ "gone" ] "Use new.name.") ]).assertions;
  removedUsed = map (assertion: assertion.assertion) (of [ (lib.mkRemovedOptionModule [ "gone" ] "Use new.name.") { gone = 1; } ]).assertions;
  removedMessage = (lib.head (of [ (lib.mkRemovedOptionModule [ "gone" ] "Use new.name.") { _file = "here.nix"; gone = 1; } ]).assertions).message;
  removedRead = (of [ (lib.mkRemovedOptionModule [ "gone" ] "Use new.name.") { gone = 1; } ]).gone;
  changed = let result = of [ (lib.mkChangedOptionModule [ "number" ] [ "new" "name" ] (config: toString config.number)) { _file = "here.nix"; number = 5; } ]; in [ result.new.name result.warnings ];
  changedUnused = (of [ (lib.mkChangedOptionModule [ "number" ] [ "new" "name" ] (config: toString config.number)) ]).new.name;
  merged = (of [ (lib.mkMergedOptionModule [ [ "first" ] [ "second" ] ] [ "new" "name" ] (config: "${config.first} ${config.second}")) { first = "a"; second = "b"; } ]).new.name;
  since = (of [ (lib.mkRenamedOptionModuleWith { sinceRelease = 2105; from = [ "old" ]; to = [ "new" "name" ]; }) { old = "x"; } ]).new.name;
  condition = (of [ (lib.doRename { from = [ "old" ]; to = [ "new" "name" ]; visible = true; warn = false; use = x: x; condition = false; }) { old = "x"; } ]).new.name;
  aliasDefinitions = (config [ ({ options, ... }: { options = { a = mkOption { type = types.listOf types.int; }; b = mkOption { type = types.listOf types.int; }; }; config = { a = [ 1 ]; b = lib.mkAliasDefinitions options.a; }; }) ]).b;
  aliasWrapped = (config [ ({ options, ... }: { options = { a = mkOption { type = types.int; }; b.c = mkOption { type = types.int; default = 9; }; }; config.b = lib.mkAliasAndWrapDefinitions (x: { c = x; }) options.a; }) ]).b.c;
  derived = (config [ ({ options, ... }: { options = { a = mkOption { type = types.int; }; b = mkOption { type = types.int; }; }; config = { a = mkForce 1; b = lib.mkDerivedConfig options.a (x: x + 1); }; }) { b = 7; } ]).b;
  sink = (config [ { options.x = lib.mkSinkUndeclaredOptions { }; x.anything = 1; options.a = mkOption { default = 1; }; } ]).a;
}
