# Strings, paths, packages and enumerations.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  value = type: definitions: (config ([ { options.x = mkOption { inherit type; }; } ] ++ map (x: { inherit x; }) definitions)).x;
  takes = type: map (candidate: (builtins.tryEval (builtins.deepSeq (value type [ candidate ]) true)).success);
  texts = [ "" " " "a" "a b" "a\n" "a\nb" "\n" "a:b" 1 null [ ] ];
  paths = [ "/" "/a/b" "a/b" "./a" "" "/nix/store" "/nix/store/" "/nix/store/.links" "/nix/store/0fb3ykw9r5hpayd05sr0cizwadzq1d8q-x" "/nix/store/0fb3ykw9r5hpayd05sr0cizwadzq1d8q-x/bin/y" 1 null ];
  package = {
    type = "derivation";
    name = "thing-1.0";
    outPath = "/nix/store/0fb3ykw9r5hpayd05sr0cizwadzq1d8q-thing-1.0";
  };
in
{
  str = takes types.str texts;
  strEqual = value types.str [ "a" "a" ];
  strConflict = value types.str [ "a" "b" ];
  nonEmptyStr = takes types.nonEmptyStr texts;
  singleLineStr = takes types.singleLineStr texts;
  singleLineStrCuts = value types.singleLineStr [ "a\n" ];
  strMatching = takes (types.strMatching "[a-z]+( [a-z])?") texts;
  passwdEntry = takes (types.passwdEntry types.str) texts;
  lines = value types.lines [ "a" "b" ];
  commas = value types.commas [ "a" "b" ];
  envVar = value types.envVar [ "a" "b" ];
  separated = value (types.separatedString " + ") [ "a" "b" "c" ];
  separatedNumber = value (types.separatedString " + ") [ "a" 1 ];
  path = takes types.path paths;
  pathAttrs = value types.path [ package ] == package;
  pathInStore = takes types.pathInStore paths;
  externalPath = takes types.externalPath paths;
  relativePath = takes (types.pathWith { absolute = false; }) paths;
  anyPath = takes (types.pathWith { }) paths;
  impossiblePath = (types.pathWith { inStore = true; absolute = false; }).name;
  package = (value types.package [ package ]).name;
  packageTwice = value types.package [ package package ];
  packageWrong = takes types.package [ "x" 1 { } { outPath = "/nix/store/0fb3ykw9r5hpayd05sr0cizwadzq1d8q-x"; } ];
  shellPackage = takes types.shellPackage [ package (package // { shellPath = "/bin/sh"; }) ];
  pkgs = takes types.pkgs [ { _type = "pkgs"; } { } ];
  enum = takes (types.enum [ "a" 1 null ]) [ "a" 1 null "b" 2 ];
  enumConflict = value (types.enum [ "a" "b" ]) [ "a" "b" ];
  enumsMerge = (config [ { options.x = mkOption { type = types.enum [ "a" ]; }; } { options.x = mkOption { type = types.enum [ "b" "a" ]; }; x = "b"; } ]).x;
  string = value types.str [ 1 ];
}
