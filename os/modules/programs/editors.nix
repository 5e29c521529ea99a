# Text editors.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.programs;
  defaultEditor =
    name:
    mkOption {
      type = types.bool;
      default = false;
      description = "Whether ${name} is what `EDITOR` names.";
    };
in
{
  options.programs = {
    nano = {
      enable = mkOption {
        type = types.bool;
        default = builtins.any (package: package.deb or "" == "nano") config.environment.defaultPackages;
        defaultText = "whether it is one of the default packages";
        description = "Whether nano is there.";
      };
      nanorc = mkOption {
        type = types.lines;
        default = "";
        example = "set tabstospaces";
        description = "Text of `/etc/nanorc`.";
      };
    };
    vim = {
      enable = lib.mkEnableOption "vim";
      defaultEditor = defaultEditor "vim";
      package = mkOption {
        type = types.package;
        default = if pkgs.lock.packages ? vim then pkgs.vim else pkgs.vim-tiny;
        defaultText = lib.literalExpression "pkgs.vim, or pkgs.vim-tiny when that is not locked";
        description = "The vim package.";
      };
    };
  };
  config = lib.mkMerge [
    (lib.mkIf cfg.nano.enable {
      environment.systemPackages = [ pkgs.nano ];
      environment.etc.nanorc.text = cfg.nano.nanorc;
    })
    (lib.mkIf cfg.vim.enable {
      environment.systemPackages = [ cfg.vim.package ];
      environment.variables = lib.mkIf cfg.vim.defaultEditor { EDITOR = lib.mkOverride 900 "vim"; };
    })
  ];
}
