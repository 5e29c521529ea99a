# How definitions of one option win, join and line up.
{ lib, config, ... }:
let
  inherit (lib)
    mkAfter
    mkBefore
    mkDefault
    mkForce
    mkIf
    mkMerge
    mkOption
    mkOptionDefault
    mkOrder
    mkOverride
    types
    ;
  # The value of one option of `type` with these definitions, each in a module of its own.
  value = type: definitions: (config ([ { options.x = mkOption { inherit type; }; } ] ++ map (x: { inherit x; }) definitions)).x;
  words = value (types.listOf types.str);
  number = value types.int;
in
{
  plain = number [ 1 ];
  equal = number [ 1 1 ];
  conflict = number [ 1 2 ];
  none = number [ ];
  condition = words [ (mkIf true [ "a" ]) (mkIf false [ "b" ]) ];
  conditionsAllOff = words [ (mkIf false [ "b" ]) ];
  conditionNotBoolean = words [ (mkIf 1 [ "b" ]) ];
  nestedConditions = number [ (mkIf true (mkIf true 3)) (mkIf true (mkIf false 4)) ];
  merged = words [ (mkMerge [ [ "a" ] (mkIf true [ "b" ]) (mkMerge [ [ "c" ] ]) ]) ];
  force = number [ 1 (mkForce 2) (mkDefault 3) ];
  twoForces = words [ (mkForce [ "a" ]) [ "b" ] (mkForce [ "c" ]) ];
  default = number [ (mkDefault 1) 2 ];
  defaultAlone = number [ (mkDefault 1) ];
  optionDefault = number [ (mkOptionDefault 1) (mkDefault 2) ];
  override = number [ (mkOverride 10 1) (mkForce 2) ];
  overrideLoses = number [ (mkOverride 51 1) (mkForce 2) ];
  before = words [ [ "a" ] (mkBefore [ "b" ]) (mkAfter [ "c" ]) [ "d" ] ];
  order = words [ (mkOrder 1200 [ "a" ]) (mkOrder 10 [ "b" ]) [ "c" ] (mkOrder 1000 [ "d" ]) ];
  forcedAndOrdered = words [ (mkForce (mkAfter [ "a" ])) (mkForce [ "b" ]) [ "c" ] ];
  mergedInOrder = words [ (mkMerge [ (mkAfter [ "z" ]) [ "a" ] ]) (mkBefore [ "b" ]) ];
  linesInOrder = value types.lines [ "b" (mkAfter "c") (mkBefore "a") ];
  overriddenIsNotLookedAt = number [ (mkForce 1) (mkDefault (throw "looked at")) ];
  conditionOfASet =
    (config [
      { options.a.b = mkOption { type = types.int; default = 1; }; options.on = mkOption { type = types.bool; default = false; }; }
      ({ config, ... }: { a = mkIf config.on { b = 2; }; })
    ]).a.b;
  forceOfASet =
    (config [
      { options.a = { b = mkOption { type = types.int; }; c = mkOption { type = types.int; default = 0; }; }; }
      { a = mkForce { b = 1; c = 2; }; }
      { a.b = 5; }
    ]).a;
  mergeOfSets = (config [ { options.a.b = mkOption { type = types.listOf types.int; }; } { config = mkMerge [ { a.b = [ 1 ]; } { a = mkMerge [ { b = [ 2 ]; } (mkIf true { b = [ 3 ]; }) ]; } ]; } ]).a.b;
  topLevelCondition = (config [ { options.a = mkOption { default = 1; }; } (mkIf true { a = 2; }) ]).a;
  conditionReadsItsOwnSet =
    (config [
      { options = { a.on = mkOption { type = types.bool; default = true; }; a.b = mkOption { type = types.str; default = "off"; }; }; }
      ({ config, ... }: { config = mkIf config.a.on { a.b = "on"; }; })
    ]).a.b;
  definition = number [ (lib.mkDefinition { file = "elsewhere.nix"; value = 3; }) ];
  forcedDefinition = number [ 1 (lib.mkDefinition { file = "elsewhere.nix"; value = mkForce 3; }) ];
  assertHolds = number [ (lib.mkAssert true "no" 1) ];
  assertFails = number [ (lib.mkAssert false "no" 1) ];
  mapped = words [ (lib.modules.mapDefinitionValue (map lib.toUpper) (mkMerge [ [ "a" ] (mkAfter [ "b" ]) ])) ];
}
