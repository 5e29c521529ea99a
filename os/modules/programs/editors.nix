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
  neovimFiles = cfg.neovim.runtime != { } || cfg.neovim.configure.packages != { };
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
      syntaxHighlight = mkOption {
        type = types.bool;
        default = true;
        description = "Whether texts are coloured.";
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
      withPython3 = mkOption {
        type = types.bool;
        default = false;
        description = "Whether plugins in Python can be used: Debian's python3-pynvim.";
      };
      withNodeJs = mkOption {
        type = types.bool;
        default = false;
        description = "Whether plugins in JavaScript can be used: Debian's nodejs.";
      };
      withRuby = mkOption {
        type = types.bool;
        default = false;
        description = "Whether plugins in Ruby can be used: Debian's ruby.";
      };
      runtime = mkOption {
        type = types.attrsOf (
          types.submodule (
            { name, ... }:
            {
              options = {
                enable = mkOption {
                  type = types.bool;
                  default = true;
                  description = "Whether the file is there.";
                };
                target = mkOption {
                  type = types.str;
                  default = name;
                  defaultText = "the attribute's name";
                  description = "Its path below the directory of the runtime.";
                };
                text = mkOption {
                  type = types.nullOr types.lines;
                  default = null;
                  description = "Its text.";
                };
                source = mkOption {
                  type = types.nullOr types.path;
                  default = null;
                  description = "The file.";
                };
              };
            }
          )
        );
        default = { };
        description = "Files of Neovim's runtime, by path.";
      };
      configure.packages = mkOption {
        type = types.attrsOf (
          types.submodule {
            options = lib.genAttrs [ "start" "opt" ] (
              when:
              mkOption {
                type = types.listOf types.package;
                default = [ ];
                description = "Plugins that are loaded ${if when == "start" then "at the start" else "by `:packadd`"}.";
              }
            );
          }
        );
        default = { };
        description = "Plugins by group: packages whose files are those of a plugin.";
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
    {
      assertions = map (editor: {
        assertion = cfg.${editor}.defaultEditor -> cfg.${editor}.enable;
        message = "programs.${editor}.defaultEditor: programs.${editor}.enable is not set";
      }) [ "vim" "neovim" ];
    }
    (lib.mkIf cfg.neovim.enable {
      environment.systemPackages = [
        cfg.neovim.package
      ]
      ++ lib.optional cfg.neovim.withPython3 pkgs.python3-pynvim
      ++ lib.optional cfg.neovim.withNodeJs pkgs.nodejs
      ++ lib.optional cfg.neovim.withRuby pkgs.ruby;
      environment.variables = lib.mkIf cfg.neovim.defaultEditor { EDITOR = lib.mkOverride 900 "nvim"; };
      environment.shellAliases =
        lib.optionalAttrs cfg.neovim.viAlias { vi = lib.mkDefault "nvim"; }
        // lib.optionalAttrs cfg.neovim.vimAlias { vim = lib.mkDefault "nvim"; };
      environment.etc = {
        "xdg/nvim/sysinit.vim" = lib.mkIf (cfg.neovim.configure.customRC != "" || neovimFiles) {
          text = lib.optionalString neovimFiles "set runtimepath^=/etc/xdg/nvim\nset packpath^=/etc/xdg/nvim\n" + cfg.neovim.configure.customRC;
        };
      }
      // lib.mapAttrs' (_: file: lib.nameValuePair "xdg/nvim/${file.target}" (if file.source != null then { inherit (file) source; } else { inherit (file) text; })) (
        lib.filterAttrs (_: file: file.enable) cfg.neovim.runtime
      )
      // lib.concatMapAttrs (
        group: plugins:
        lib.listToAttrs (
          lib.concatMap (
            when: map (plugin: lib.nameValuePair "xdg/nvim/pack/${group}/${when}/${lib.getName plugin}" { source = plugin; }) plugins.${when}
          ) [ "start" "opt" ]
        )
      ) cfg.neovim.configure.packages;
    })
    (lib.mkIf cfg.nano.enable {
      environment.systemPackages = [ pkgs.nano ];
      environment.etc.nanorc.text = lib.optionalString cfg.nano.syntaxHighlight "include \"/usr/share/nano/*.nanorc\"\n" + cfg.nano.nanorc;
    })
    (lib.mkIf cfg.vim.enable {
      environment.systemPackages = [ cfg.vim.package ];
      environment.variables = lib.mkIf cfg.vim.defaultEditor { EDITOR = lib.mkOverride 900 "vim"; };
    })
  ];
}
