# Strings that refer to store paths keep doing so, whatever is done with them.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  path = builtins.toFile "referred" "to";
  text = "a.b ${path} c";
  refers = value: builtins.attrNames (builtins.getContext value) == builtins.attrNames (builtins.getContext path);
  value = type: definition: (config [ { options.x = mkOption { inherit type; }; } { x = definition; } ]).x;
in
builtins.mapAttrs (_: value: if builtins.isList value then map refers value else refers value) {
  splitString = lib.splitString "." text;
  removePrefix = lib.removePrefix "a" text;
  removeSuffix = lib.removeSuffix "c" text;
  characters = lib.take 1 (lib.stringToCharacters text);
  upper = lib.toUpper text;
  replace = lib.strings.replaceString "a" "b" text;
  shell = [ (lib.escapeShellArg text) (lib.escapeShellArg path) (lib.escapeShellArgs [ text "x" ]) (lib.toShellVar "x" text) ];
  nix = lib.strings.escapeNixString text;
  concat = [ (lib.concatStringsSep "," [ "x" text ]) (lib.concatMapStrings (x: x + text) [ "x" ]) (lib.concatLines [ text ]) (lib.optionalString true text) ];
  width = lib.fixedWidthString 200 " " text;
  search = lib.makeBinPath [ path ];
  generators = [ (lib.generators.toKeyValue { } { a = text; }) (lib.generators.toINI { } { s.a = text; }) (lib.generators.toJSON { } { a = text; }) (lib.generators.toPretty { } "one\ntwo ${text}") (lib.generators.toPretty { } text) ];
  types = [ (value types.str text) (value types.lines text) (value types.singleLineStr "${text}\n") (value (types.strMatching ".*") text) (value types.path path) (value types.nonEmptyStr text) (value (types.nullOr types.str) text) (value (types.either types.int types.str) text) (value types.commas text) ];
  lines = (config [ { options.x = mkOption { type = types.lines; }; } { x = "one"; } { x = text; } ]).x;
}
