# Shells: what they read at start, aliases, which may be login shells.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.environment;
  aliases = lib.concatStringsSep "\n" (
    lib.mapAttrsToList (name: value: "alias -- ${name}=${lib.escapeShellArg value}") (
      lib.filterAttrs (_: value: value != null) cfg.shellAliases
    )
  );
in
{
  options.environment = {
    shells = mkOption {
      type = types.listOf (types.either types.path types.package);
      default = [ ];
      apply = map (shell: if shell ? deb then "/usr${shell.shellPath}" else if shell ? shellPath then "${shell}${shell.shellPath}" else "${shell}");
      example = lib.literalExpression "[ \"/usr/bin/bash\" ]";
      description = "Shells that users may have as login shell, written to `/etc/shells`.";
    };
    shellAliases = mkOption {
      type = types.attrsOf (types.nullOr types.str);
      default = { };
      example = {
        ll = "ls -l";
      };
      description = "Aliases of all users' shells; null removes one.";
    };
    shellInit = mkOption {
      type = types.lines;
      default = "";
      description = "Shell text run at the start of every shell.";
    };
    loginShellInit = mkOption {
      type = types.lines;
      default = "";
      description = "Shell text run at the start of login shells.";
    };
    interactiveShellInit = mkOption {
      type = types.lines;
      default = "";
      description = "Shell text run at the start of interactive shells.";
    };
  };
  options.programs.bash = {
    promptInit = mkOption {
      type = types.lines;
      default = ''
        if [ "$TERM" != dumb ]; then PS1='\u@\h:\w\$ '; fi
      '';
      description = "Shell text that sets the prompt.";
    };
    completion.enable = mkOption {
      type = types.bool;
      default = false;
      description = "Whether completions of commands are loaded (package bash-completion, which must be locked).";
    };
  };

  config = {
    environment = {
      shells = [
        "/usr/bin/bash"
        "/usr/bin/sh"
        "/bin/bash"
        "/bin/sh"
      ];
      shellAliases = {
        ls = lib.mkDefault "ls --color=tty";
        ll = lib.mkDefault "ls -l";
        l = lib.mkDefault "ls -alh";
      };
      systemPackages = [ pkgs.bash ] ++ lib.optional config.programs.bash.completion.enable pkgs.bash-completion;
      etc = {
        shells.text = lib.concatMapStrings (shell: "${shell}\n") cfg.shells;
        profile.text = ''
          # Read by login shells.
          if [ -z "$__FIRN_SET_ENVIRONMENT" ]; then . /etc/set-environment; fi
          ${cfg.shellInit}
          ${cfg.loginShellInit}
          for file in /etc/profile.d/*.sh; do if [ -r "$file" ]; then . "$file"; fi; done
          unset file
          if [ -n "$BASH_VERSION" ] && [ -r /etc/bashrc ]; then . /etc/bashrc; fi
        '';
        bashrc.text = ''
          # Read by interactive shells.
          if [ -n "$__ETC_BASHRC_SOURCED" ]; then return; fi
          __ETC_BASHRC_SOURCED=1
          if [ -z "$__FIRN_SET_ENVIRONMENT" ]; then . /etc/set-environment; fi
          case $- in
            *i*)
              ${config.programs.bash.promptInit}
              ${aliases}
              ${cfg.interactiveShellInit}
              ${lib.optionalString config.programs.bash.completion.enable ". /usr/share/bash-completion/bash_completion"}
              ;;
          esac
          true
        '';
        "bash.bashrc".text = ''
          . /etc/bashrc
        '';
      };
    };
  };
}
