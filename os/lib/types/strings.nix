# Strings and enumerations.
{ lib, core }:
let
  inherit (builtins) isString match;
  inherit (core)
    addCheck
    defaultFunctor
    mkOptionType
    phrase
    ;
  inherit (lib) mergeEqualOption types;

  textType =
    name: description: check:
    mkOptionType {
      inherit name description check;
      descriptionClass = "noun";
      merge = mergeEqualOption;
    };

  show =
    value:
    if isString value then
      "\"${value}\""
    else if builtins.isInt value then
      toString value
    else if builtins.isBool value then
      lib.boolToString value
    else
      "<${builtins.typeOf value}>";
in
{
  str = textType "str" "string" isString;
  # As before str: strings are put together. Kept for old modules.
  string = types.separatedString "" // {
    name = "string";
    deprecationMessage = "See https://github.com/NixOS/nixpkgs/pull/66346 for better alternative types.";
  };
  nonEmptyStr = textType "nonEmptyStr" "non-empty string" (value: isString value && match "[ \t\n]*" value == null);
  # One newline at the end is allowed and taken away.
  singleLineStr =
    let
      type = textType "singleLineStr" "(optionally newline-terminated) single-line string" (
        value: isString value && match "[^\n\r]*\n?" value != null
      );
    in
    type // { merge = location: definitions: lib.removeSuffix "\n" (mergeEqualOption location definitions); };
  strMatching =
    pattern:
    textType "strMatching ${lib.escapeNixString pattern}" "string matching the pattern ${pattern}" (
      value: isString value && match pattern value != null
    )
    // rec {
      functor = defaultFunctor "strMatching" // {
        type = payload: types.strMatching payload.pattern;
        payload = { inherit pattern; };
        binOp = mine: theirs: if mine == theirs then mine else null;
      };
      typeMerge = core.defaultTypeMerge functor;
    };

  separatedString =
    separator:
    mkOptionType {
      name = "separatedString";
      description = "strings concatenated with ${builtins.toJSON separator}";
      descriptionClass = "noun";
      check = isString;
      merge = _: definitions: lib.concatMapStringsSep separator (definition: definition.value) definitions;
      functor = defaultFunctor "separatedString" // {
        type = payload: types.separatedString payload.sep;
        payload = { sep = separator; };
        binOp = mine: theirs: if mine == theirs then mine else null;
      };
    };
  lines = types.separatedString "\n";
  commas = types.separatedString ",";
  envVar = types.separatedString ":";

  # A field of /etc/passwd.
  passwdEntry =
    type:
    addCheck type (value: match ".*[:\n].*" value == null)
    // {
      name = "passwdEntry ${type.name}";
      description = "${phrase [ "noun" ] type}, not containing newlines or colons";
      descriptionClass = "nonRestrictiveClause";
    };

  enum =
    values:
    mkOptionType {
      name = "enum";
      description =
        if values == [ ] then
          "impossible (empty enum)"
        else if builtins.length values == 1 then
          "value ${show (builtins.head values)} (singular enum)"
        else
          "one of ${lib.concatMapStringsSep ", " show values}";
      descriptionClass = if builtins.length values < 2 then "noun" else "conjunction";
      check = value: builtins.elem value values;
      merge = mergeEqualOption;
      functor = defaultFunctor "enum" // {
        type = payload: types.enum payload.values;
        payload = { inherit values; };
        binOp = mine: theirs: { values = lib.unique (mine.values ++ theirs.values); };
      };
    };
}
