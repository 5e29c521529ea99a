# Options as data: the short ways to declare them, and documents made of them.
{ lib, config, evaluate, ... }:
let
  inherit (lib) literalExpression mkOption types;
  pkgs = {
    hello = { type = "derivation"; name = "hello-1"; pname = "hello"; outPath = "/nix/store/0fb3ykw9r5hpayd05sr0cizwadzq1d8q-hello-1"; };
    set.deep = pkgs.hello;
  };
  plain = option: removeAttrs option [ "type" "default" ];
  documented = lib.optionAttrSetToDocList (evaluate [
    {
      _file = "module.nix";
      options = {
        enable = lib.mkEnableOption "the thing";
        inside.name = mkOption { type = types.str; default = "a\nb"; description = "Its name."; example = literalExpression "x"; };
        hidden = mkOption { type = types.int; internal = true; visible = false; };
        secret = mkOption { type = types.int; readOnly = true; defaultText = literalExpression "1 + 1"; default = 2; };
        hosts = mkOption { type = types.attrsOf (types.submodule { options.port = mkOption { type = types.port; description = "Port."; default = 80; }; }); description = "Hosts."; };
        list = mkOption { type = types.listOf (types.submodule { options.a = mkOption { }; }); default = [ ]; };
        shallow = mkOption { type = types.submodule { options.a = mkOption { }; }; visible = "shallow"; };
      };
    }
  ]).options;
in
{
  enable = plain (lib.mkEnableOption "the thing");
  package = plain (lib.mkPackageOption pkgs "hello" { });
  packageValue = (config [ { options.p = lib.mkPackageOption pkgs "hello" { }; } ]).p.pname;
  packagePath = plain (lib.mkPackageOption pkgs [ "set" "deep" ] { example = [ "set" "other" ]; extraDescription = "More."; pkgsText = "mine"; });
  packageNullable = plain (lib.mkPackageOption pkgs "hello" { nullable = true; default = null; });
  packageMissing = (config [ { options.p = lib.mkPackageOption pkgs "absent" { }; } ]).p;
  documents = map (option: removeAttrs option [ "declarations" ]) (lib.filter (option: !(lib.elem "_module" option.loc)) documented);
  documentNames = map (option: option.name) documented;
  declaredBy = lib.unique (lib.concatMap (option: option.declarations) (lib.filter (option: lib.hasPrefix "inside" option.name) documented));
  scrubbed = lib.options.scrubOptionValue { a = pkgs.hello; b = [ pkgs.hello 1 ]; };
  literal = map (f: f "x") [ literalExpression lib.literalMD (lib.options.literalCode "nix") ];
  literalNumber = literalExpression 1;
  shown = map lib.showOption [ [ "a" "b" ] [ "a" "b.c" ] [ "a" "<name>" "*" ] [ "if" "or" ] [ ] [ "a b" "\"" ] ];
  shownFiles = lib.showFiles [ "a" "b" ];
}
