# Types of single values: what they take and how they join.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  value = type: definitions: (config ([ { options.x = mkOption { inherit type; }; } ] ++ map (x: { inherit x; }) definitions)).x;
  # Which of these values a type takes.
  takes = type: map (candidate: (builtins.tryEval (builtins.deepSeq (value type [ candidate ]) true)).success);
  numbers = [ (-129) (-1) 0 1 42 127 128 255 256 65535 65536 4294967295 4294967296 0.5 "1" true null ];
in
{
  bool = takes types.bool [ true false 0 "true" null ];
  boolByOr = map (value types.boolByOr) [ [ false false ] [ false true ] [ true ] ];
  boolConflict = value types.bool [ true false ];
  int = takes types.int numbers;
  unsigned = takes types.ints.unsigned numbers;
  positive = takes types.ints.positive numbers;
  between = takes (types.ints.between 0 127) numbers;
  betweenTurned = value (types.ints.between 2 1) [ 1 ];
  u8 = takes types.ints.u8 numbers;
  u16 = takes types.ints.u16 numbers;
  u32 = takes types.ints.u32 numbers;
  s8 = takes types.ints.s8 numbers;
  s16 = takes types.ints.s16 numbers;
  s32 = takes types.ints.s32 numbers;
  port = takes types.port numbers;
  float = takes types.float numbers;
  number = takes types.number numbers;
  numbersBetween = takes (types.numbers.between 0 1) numbers;
  nonnegative = takes types.numbers.nonnegative numbers;
  positiveNumbers = takes types.numbers.positive numbers;
  raw = value types.raw [ { a = 1; } ];
  rawTwice = value types.raw [ 1 1 ];
  rawKeepsProperties = (value types.raw [ { a = lib.mkIf false 1; } ]).a._type;
  unspecifiedLists = value types.unspecified [ [ 1 ] [ 2 ] ];
  unspecifiedSets = value types.unspecified [ { a = 1; } { b = 2; } ];
  unspecifiedStrings = value types.unspecified [ "a" "b" ];
  unspecifiedMixed = value types.unspecified [ "a" 1 ];
  anythingSets = value types.anything [ { a.b = 1; } { a.c = 2; } ];
  anythingEqual = value types.anything [ [ 1 "a" ] [ 1 "a" ] ];
  anythingLists = value types.anything [ [ 1 ] [ 2 ] ];
  anythingMixed = value types.anything [ { a = 1; } { a = "1"; } ];
  anythingForce = value types.anything [ { a.b = lib.mkForce 1; } { a.b = 2; a.c = lib.mkIf false 3; } ];
  anythingFunctions = value types.anything [ (x: { a = x; }) (x: { b = x + 1; }) ] 1;
}
