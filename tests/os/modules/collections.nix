# Lists and attribute sets.
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
    mkOrder
    types
    ;
  value = type: definitions: (config ([ { options.x = mkOption { inherit type; }; } ] ++ map (x: { inherit x; }) definitions)).x;
in
{
  listsJoin = value (types.listOf types.int) [ [ 1 2 ] [ 3 ] [ ] ];
  listElements = value (types.listOf types.int) [ [ 1 "2" ] ];
  listNotAList = value (types.listOf types.int) [ 1 ];
  listConditions = value (types.listOf types.int) [ [ (mkIf false 1) 2 (mkIf true 3) ] ];
  listUndefined = (config [ { options.x = mkOption { type = types.listOf types.int; }; } ]).x;
  nestedLists = value (types.listOf (types.listOf types.str)) [ [ [ "a" ] [ ] ] [ [ "b" "c" ] ] ];
  nonEmpty = value (types.nonEmptyListOf types.int) [ [ 1 ] ];
  nonEmptyEmpty = value (types.nonEmptyListOf types.int) [ [ ] ];
  nonEmptyUndefined = (config [ { options.x = mkOption { type = types.nonEmptyListOf types.int; }; } ]).x;
  attrsShallow = value types.attrs [ { a.b = 1; } { a.c = 2; d = 3; } ];
  attrsOf = value (types.attrsOf types.int) [ { a = 1; } { b = 2; } ];
  attrsOfWrong = value (types.attrsOf types.int) [ { a = 1; b = "2"; } ];
  attrsOfForce = value (types.attrsOf types.int) [ { a = 1; b = 1; } { a = mkForce 2; } ];
  attrsOfForceAll = value (types.attrsOf types.int) [ { a = 1; b = 1; } (mkForce { a = 2; }) ];
  attrsOfConditions = value (types.attrsOf types.int) [ { a = mkIf false 1; b = mkIf true 2; } (mkIf false { c = 3; }) ];
  attrsOfLists = value (types.attrsOf (types.listOf types.int)) [ { a = [ 1 ]; } { a = mkBefore [ 0 ]; b = [ ]; } ];
  attrsOfAttrs = value (types.attrsOf (types.attrsOf types.str)) [ { a.b = "1"; } { a.c = "2"; } ];
  attrsNames = builtins.attrNames (value (types.lazyAttrsOf types.int) [ { a = throw "looked at"; b = mkIf false 1; } ]);
  lazyValue = (value (types.lazyAttrsOf types.int) [ { a = throw "looked at"; b = 1; } ]).b;
  lazyOff = (value (types.lazyAttrsOf types.int) [ { b = mkIf false 1; } ]).b;
  lazyOffEmpty = (value (types.lazyAttrsOf (types.nullOr types.int)) [ { b = mkIf false 1; } ]).b;
  attrsWith = value (types.attrsWith { elemType = types.int; placeholder = "host"; }) [ { a = 1; } ];
  attrsWithMerge =
    (config [
      { options.x = mkOption { type = types.attrsWith { elemType = types.enum [ "a" ]; placeholder = "host"; }; }; }
      { options.x = mkOption { type = types.attrsOf (types.enum [ "b" ]); }; x = { k = "a"; l = "b"; }; }
    ]).x;
  attrsWithClash =
    (config [
      { options.x = mkOption { type = types.attrsWith { elemType = types.int; placeholder = "host"; }; }; }
      { options.x = mkOption { type = types.attrsWith { elemType = types.int; placeholder = "user"; }; }; x.a = 1; }
    ]).x;
  lazyAndNot = (config [ { options.x = mkOption { type = types.lazyAttrsOf types.int; }; } { options.x = mkOption { type = types.attrsOf types.int; }; x.a = 1; } ]).x;
  attrListFromSet = value (types.attrListOf types.int) [ { b = 1; a = 2; } ];
  attrListFromList = value (types.attrListOf types.int) [ [ { b = 1; } { a = 2; } { b = 3; } ] ];
  attrListOrder = value (types.attrListOf types.int) [ [ { b = 1; } ] { z = mkBefore 0; y = mkAfter 9; } [ (mkOrder 1 { first = 1; }) ] ];
  attrListForce = value (types.attrListOf types.int) [ { a = 1; b = 1; } { a = mkForce 2; } ];
  attrListTwoNames = value (types.attrListOf types.int) [ [ { a = 1; b = 2; } ] ];
  attrListAsAttrs = value (types.attrListWith { elemType = types.int; asAttrs = true; }) [ [ { a = 1; } { a = 2; } { b = 3; } ] ];
  defaultOfList = (config [ { options.x = mkOption { type = types.listOf types.int; default = [ 1 ]; }; } { x = [ 2 ]; } ]).x;
  defaultsJoinAtTheSamePriority = value (types.listOf types.int) [ (mkDefault [ 1 ]) (mkDefault [ 2 ]) ];
  loaOf = (types.loaOf types.int).name;
}
