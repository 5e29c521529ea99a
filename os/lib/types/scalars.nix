# Booleans, numbers, and values taken as they are.
{ lib, core }:
let
  inherit (builtins)
    head
    isAttrs
    isBool
    isFloat
    isInt
    ;
  inherit (core) addCheck mkOptionType;
  inherit (lib) mergeEqualOption mergeOneOption types;

  noun =
    name: description: rest:
    mkOptionType (
      {
        inherit name description;
        descriptionClass = "noun";
      }
      // rest
    );

  # Named restrictions of a numeric type.
  restricted =
    name: description: type: condition:
    addCheck type condition
    // {
      inherit name description;
      descriptionClass = "nonRestrictiveClause";
    };
  between =
    lowest: highest: name: description: type: result:
    if lowest > highest then
      throw "${name}: lowest value (${toString lowest}) must not be greater than highest value (${toString highest})"
    else
      addCheck type (value: value >= lowest && value <= highest) // result;
  range = lowest: highest: "${toString lowest} and ${toString highest} (both inclusive)";

  sized =
    words: bits: lowest: highest:
    between lowest highest "ints" null types.int {
      name = words.name + toString bits;
      description = "${toString bits} bit ${words.long} integer; between ${range lowest highest}";
    };
  power = exponent: if exponent == 0 then 1 else 2 * power (exponent - 1);
  unsigned = bits: sized { name = "unsignedInt"; long = "unsigned"; } bits 0 (power bits - 1);
  signed = bits: sized { name = "signedInt"; long = "signed"; } bits (0 - power (bits - 1)) (power (bits - 1) - 1);
in
{
  raw = noun "raw" "raw value" { merge = mergeOneOption; };

  luaInline = noun "luaInline" "inline lua" {
    check = lib.isType "lua-inline";
    merge = lib.mergeEqualOption;
  };

  unspecified = noun "unspecified" "unspecified value" { };

  # Everything: sets are merged deeply, functions by their results, other values must be equal.
  anything = noun "anything" "anything" {
    merge =
      location: definitions:
      let
        kindOf =
          definition:
          if isAttrs definition.value && lib.isStringLike definition.value then
            "package"
          else
            builtins.typeOf definition.value;
        kind = kindOf (head definitions);
        result = argument: definition: definition // { value = definition.value argument; };
      in
      if builtins.any (definition: kindOf definition != kind) definitions then
        throw "The option `${lib.showOption location}' has conflicting option types in ${lib.showFiles (lib.getFiles definitions)}"
      else if kind == "set" then
        (types.attrsOf types.anything).merge location definitions
      else if kind == "package" then
        mergeOneOption location definitions
      else if kind == "lambda" then
        argument: types.anything.merge (location ++ [ "<function body>" ]) (map (result argument) definitions)
      else
        mergeEqualOption location definitions;
  };

  bool = noun "bool" "boolean" {
    check = isBool;
    merge = mergeEqualOption;
  };
  boolByOr = noun "boolByOr" "boolean (merged using or)" {
    check = isBool;
    merge = _: definitions: builtins.any (definition: definition.value) definitions;
  };

  int = noun "int" "signed integer" {
    check = isInt;
    merge = mergeEqualOption;
  };
  ints = {
    between =
      lowest: highest:
      between lowest highest "ints.between" null types.int {
        name = "intBetween";
        description = "integer between ${range lowest highest}";
      };
    unsigned = restricted "unsignedInt" "unsigned integer, meaning >=0" types.int (value: value >= 0);
    positive = restricted "positiveInt" "positive integer, meaning >0" types.int (value: value > 0);
    u8 = unsigned 8;
    u16 = unsigned 16;
    u32 = unsigned 32;
    s8 = signed 8;
    s16 = signed 16;
    s32 = signed 32;
  };
  port = types.ints.u16;

  float = noun "float" "floating point number" {
    check = isFloat;
    merge = mergeEqualOption;
  };
  number = types.either types.int types.float;
  numbers = {
    between =
      lowest: highest:
      between lowest highest "numbers.between" null types.number {
        name = "numberBetween";
        description = "integer or floating point number between ${range lowest highest}";
      };
    nonnegative = restricted "numberNonnegative" "nonnegative integer or floating point number, meaning >=0" types.number (value: value >= 0);
    positive = restricted "numberPositive" "positive integer or floating point number, meaning >0" types.number (value: value > 0);
  };
}
