# Names and descriptions of all types: manuals show them.
{ lib, ... }:
let
  inherit (lib) types;
  of = lib.mapAttrs (_: type: {
    inherit (type) name description;
    class = type.descriptionClass;
    empty = type.emptyValue ? value;
    functor = type.functor.name;
  });
in
of {
  inherit (types)
    anything
    attrs
    bool
    boolByOr
    commas
    deferredModule
    envVar
    externalPath
    float
    int
    json
    lines
    nonEmptyStr
    number
    optionDeclaration
    optionType
    package
    path
    pathInStore
    pkgs
    port
    raw
    shellPackage
    singleLineStr
    str
    toml
    unspecified
    ;
  inherit (types.ints) unsigned positive u8 u16 u32 s8 s16 s32;
  inherit (types.numbers) nonnegative;
  positiveNumber = types.numbers.positive;
  between = types.ints.between 1 9;
  numberBetween = types.numbers.between 1 9;
  enum = types.enum [ "a" 1 true null ];
  enumOne = types.enum [ "a" ];
  enumNone = types.enum [ ];
  strMatching = types.strMatching "a\"b";
  separated = types.separatedString "\t";
  passwdEntry = types.passwdEntry types.str;
  relative = types.pathWith { absolute = false; };
  listOf = types.listOf types.int;
  listOfEither = types.listOf (types.either types.int types.str);
  listOfList = types.listOf (types.listOf types.str);
  nonEmptyListOf = types.nonEmptyListOf types.int;
  attrsOf = types.attrsOf (types.listOf types.int);
  lazyAttrsOf = types.lazyAttrsOf types.ints.positive;
  attrListOf = types.attrListOf types.str;
  nullOr = types.nullOr types.int;
  nullOrEither = types.nullOr (types.either types.int types.str);
  nullOrList = types.nullOr (types.listOf types.str);
  nullOrPositive = types.nullOr types.ints.positive;
  either = types.either types.int types.str;
  eitherPositive = types.either types.ints.positive (types.enum [ "auto" "none" ]);
  eitherLists = types.either (types.listOf types.int) (types.listOf types.str);
  oneOf = types.oneOf [ types.int types.str types.bool ];
  coercedTo = types.coercedTo types.int toString types.str;
  coercedToList = types.coercedTo types.str lib.singleton (types.listOf types.str);
  functionTo = types.functionTo (types.listOf types.str);
  unique = types.unique { message = ""; } (types.listOf types.str);
  submodule = types.submodule { };
  open = types.submodule { freeformType = types.attrsOf types.int; };
  listOfSubmodules = types.listOf (types.submodule { });
  attrTag = types.attrTag { "a b" = lib.mkOption { type = types.int; }; c = lib.mkOption { type = types.int; }; };
  addCheck = types.addCheck types.int (x: x > 1);
  deferredModuleWith = types.deferredModuleWith { };
}
