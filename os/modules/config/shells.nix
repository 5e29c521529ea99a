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
  bash = config.programs.bash;
  aliases = lib.concatStringsSep "\n" (
    lib.mapAttrsToList (name: value: "alias -- ${name}=${lib.escapeShellArg value}") (
      lib.filterAttrs (_: value: value != null) (cfg.shellAliases // bash.shellAliases)
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
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Has to be on: scripts of the system are bash's.";
    };
    promptInit = mkOption {
      type = types.lines;
      default = ''
        if [ "$TERM" != dumb ]; then PS1='\u@\h:\w\$ '; fi
      '';
      description = "Shell text that sets the prompt.";
    };
    completion = {
      enable = mkOption {
        type = types.bool;
        default = false;
        description = "Whether completions of commands are loaded.";
      };
      package = mkOption {
        type = types.package;
        default = pkgs.bash-completion;
        defaultText = lib.literalExpression "pkgs.bash-completion";
        description = "The package of completions.";
      };
    };
    shellAliases = mkOption {
      type = types.attrsOf (types.nullOr types.str);
      default = { };
      description = "Aliases of bash, which go before {option}`environment.shellAliases`; null removes one.";
    };
    shellInit = mkOption {
      type = types.lines;
      default = "";
      description = "Text that login shells run, after that of {option}`environment.shellInit`.";
    };
    loginShellInit = mkOption {
      type = types.lines;
      default = "";
      description = "Text that login shells run, after that of {option}`environment.loginShellInit`.";
    };
    interactiveShellInit = mkOption {
      type = types.lines;
      default = "";
      description = "Text that interactive shells run.";
    };
    logout = mkOption {
      type = types.lines;
      default = "";
      description = "Text that login shells run at their end.";
    };
    enableLsColors = mkOption {
      type = types.bool;
      default = true;
      description = "Whether lists of files have colours.";
    };
    lsColorsFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "File of the colours, as dircolors(1) reads it.";
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
      systemPackages = [ pkgs.bash ] ++ lib.optional bash.completion.enable bash.completion.package;
      etc = {
        shells.text = lib.concatMapStrings (shell: "${shell}\n") cfg.shells;
        profile.text = ''
          # Read by login shells.
          if [ -z "$__FIRN_SET_ENVIRONMENT" ]; then . /etc/set-environment; fi
          ${cfg.shellInit}
          ${cfg.loginShellInit}
          if [ -n "$BASH_VERSION" ]; then
            :
            ${bash.shellInit}
            ${bash.loginShellInit}
          fi
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
              ${bash.promptInit}
              ${aliases}
              ${lib.optionalString bash.enableLsColors "eval \"$(dircolors -b${lib.optionalString (bash.lsColorsFile != null) " ${bash.lsColorsFile}"})\""}
              ${cfg.interactiveShellInit}
              ${bash.interactiveShellInit}
              ${lib.optionalString bash.completion.enable ". /usr/share/bash-completion/bash_completion"}
              ;;
          esac
          true
        '';
        "bash.bash_logout" = lib.mkIf (bash.logout != "") { text = bash.logout; };
        "bash.bashrc".text = ''
          . /etc/bashrc
        '';
      };
    };
  };
}
