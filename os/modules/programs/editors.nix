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
    neovim = {
      enable = lib.mkEnableOption "Neovim";
      defaultEditor = defaultEditor "Neovim";
      package = mkOption {
        type = types.package;
        default = pkgs.neovim;
        defaultText = lib.literalExpression "pkgs.neovim";
        description = "The Neovim package.";
      };
      viAlias = mkOption {
        type = types.bool;
        default = false;
        description = "Whether `vi` starts Neovim.";
      };
      vimAlias = mkOption {
        type = types.bool;
        default = false;
        description = "Whether `vim` starts Neovim.";
      };
      configure.customRC = mkOption {
        type = types.lines;
        default = "";
        example = "set number";
        description = "Commands that Neovim runs at its start, for all users.";
      };
    };
  };
  config = lib.mkMerge [
    (lib.mkIf cfg.neovim.enable {
      environment.systemPackages = [ cfg.neovim.package ];
      environment.variables = lib.mkIf cfg.neovim.defaultEditor { EDITOR = lib.mkOverride 900 "nvim"; };
      environment.shellAliases =
        lib.optionalAttrs cfg.neovim.viAlias { vi = lib.mkDefault "nvim"; }
        // lib.optionalAttrs cfg.neovim.vimAlias { vim = lib.mkDefault "nvim"; };
      environment.etc."xdg/nvim/sysinit.vim" = lib.mkIf (cfg.neovim.configure.customRC != "") {
        text = cfg.neovim.configure.customRC;
      };
    })
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
