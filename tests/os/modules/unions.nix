# Types made of types.
{ lib, config, ... }:
let
  inherit (lib) mkForce mkOption types;
  value = type: definitions: (config ([ { options.x = mkOption { inherit type; }; } ] ++ map (x: { inherit x; }) definitions)).x;
  takes = type: map (candidate: (builtins.tryEval (builtins.deepSeq (value type [ candidate ]) true)).success);
  tagged = types.attrTag {
    count = mkOption { type = types.int; };
    name = mkOption { type = types.str; };
  };
in
{
  nullOr = takes (types.nullOr types.int) [ null 1 "1" ];
  nullAndNot = value (types.nullOr types.int) [ null 1 ];
  nullTwice = value (types.nullOr types.int) [ null null ];
  nullUndefined = (config [ { options.x = mkOption { type = types.nullOr types.int; }; } ]).x;
  nullOrList = value (types.nullOr (types.listOf types.int)) [ [ 1 ] [ 2 ] ];
  either = takes (types.either types.int types.str) [ 1 "1" true ];
  eitherMixed = value (types.either types.int types.str) [ 1 "1" ];
  eitherLists = value (types.either (types.listOf types.int) types.int) [ [ 1 ] [ 2 ] ];
  oneOf = takes (types.oneOf [ types.int types.str types.bool ]) [ 1 "1" true null ];
  oneOfNone = (types.oneOf [ ]).name;
  eithersMerge =
    (config [
      { options.x = mkOption { type = types.either (types.enum [ "a" ]) types.int; }; }
      { options.x = mkOption { type = types.either (types.enum [ "b" ]) types.int; }; x = "b"; }
    ]).x;
  coerced = map (one: value (types.coercedTo types.int toString types.str) [ one ]) [ 1 "2" ];
  coercedWrong = value (types.coercedTo types.int toString types.str) [ true ];
  coercedList = value (types.coercedTo types.str lib.singleton (types.listOf types.str)) [ "a" [ "b" "c" ] ];
  coercedUnsound = value (types.coercedTo types.str lib.toInt types.ints.u8) [ "1000" ];
  coercedSubmodule = (types.coercedTo (types.submodule { }) lib.id types.str).name;
  unique = value (types.unique { message = "Only once."; } types.int) [ 1 ];
  uniqueTwice = value (types.unique { message = "Only once."; } types.int) [ 1 1 ];
  uniqueForced = value (types.unique { message = "Only once."; } types.int) [ 1 (mkForce 2) ];
  uniq = value (types.uniq (types.listOf types.int)) [ [ 1 ] ];
  attrTag = value tagged [ { count = 1; } ];
  attrTagTwo = value tagged [ { count = 1; name = "a"; } ];
  attrTagMixed = value tagged [ { count = 1; } { name = "a"; } ];
  attrTagWrong = value tagged [ { count = "1"; } ];
  attrTagUnknown = value tagged [ { other = 1; } ];
  attrTagsMerge =
    (config [
      { options.x = mkOption { type = types.attrTag { a = mkOption { type = types.int; }; }; }; }
      { options.x = mkOption { type = types.attrTag { b = mkOption { type = types.int; }; }; }; x.b = 1; }
    ]).x;
  functionTo = value (types.functionTo types.int) [ (x: x + 1) ] 1;
  functionToLists = value (types.functionTo (types.listOf types.int)) [ (x: [ x ]) (x: [ (x + 1) ]) ] 1;
  functionToWrong = value (types.functionTo types.int) [ (x: "a") ] 1;
  functionToNone = value (types.functionTo types.int) [ 1 ];
  functionToArguments = lib.functionArgs (value (types.functionTo types.int) [ ({ a, b ? 1 }: a) ({ a, b, c ? 1 }: a) ]);
  addCheck = takes (types.addCheck types.int (x: x > 2)) [ 2 3 ];
  addCheckOfAttrs = takes (types.addCheck (types.attrsOf types.int) (x: x ? a)) [ { a = 1; } { b = 1; } { a = "1"; } ];
  mergeTypes = (types.mergeTypes (types.enum [ "a" ]) (types.enum [ "b" ])).check "b";
  mergeTypesClash = types.mergeTypes types.int types.str;
  json = value types.json [ { a = [ 1 null "b" 0.5 ]; } ];
  toml = takes types.toml [ { a = 1; } null [ true ] ];
  own =
    value (lib.mkOptionType {
      name = "even";
      check = x: lib.isInt x && lib.mod x 2 == 0;
      merge = location: definitions: lib.foldl' lib.add 0 (lib.getValues definitions);
    }) [ 2 4 ];
  ownWrong =
    value (lib.mkOptionType {
      name = "even";
      check = x: lib.isInt x && lib.mod x 2 == 0;
    }) [ 3 ];
  optionType = (value types.optionType [ types.int ]).name;
  optionTypesMerge = (value types.optionType [ (types.enum [ "a" ]) (types.enum [ "b" ]) ]).description;
}
