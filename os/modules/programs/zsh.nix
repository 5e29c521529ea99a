# zsh for the whole machine.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.programs.zsh;
  shared = config.environment;
  aliases = lib.concatStrings (
    lib.mapAttrsToList (name: value: "alias -- ${name}=${lib.escapeShellArg value}\n") (
      lib.filterAttrs (_: value: value != null) cfg.shellAliases
    )
  );
in
{
  options.programs.zsh = {
    enable = lib.mkEnableOption "zsh";
    shellAliases = mkOption {
      type = types.attrsOf (types.nullOr (types.either types.str types.path));
      default = { };
      description = "Aliases besides {option}`environment.shellAliases`; null removes one.";
    };
    shellInit = forms.lines "Text that every zsh runs.";
    loginShellInit = forms.lines "Text that login shells run.";
    interactiveShellInit = forms.lines "Text that interactive shells run.";
    promptInit = forms.of types.lines "autoload -U promptinit && promptinit && prompt suse && setopt prompt_sp" "Text that sets the prompt.";
    histSize = forms.int 2000 "How many lines of the history are kept.";
    histFile = forms.str "$HOME/.zsh_history" "File of the history.";
    setOptions = mkOption {
      type = types.listOf types.str;
      default = [ "HIST_IGNORE_DUPS" "SHARE_HISTORY" "HIST_FCNTL_LOCK" ];
      example = [ "EXTENDED_HISTORY" ];
      description = "Options that are on.";
    };
    enableCompletion = forms.bool true "Whether interactive shells complete words.";
    enableBashCompletion = forms.bool false "Whether completions for bash are understood.";
    enableGlobalCompInit = mkOption {
      type = types.bool;
      default = cfg.enableCompletion;
      defaultText = lib.literalExpression "config.programs.zsh.enableCompletion";
      description = "Whether completion is started for all; users may want to do it themselves.";
    };
    enableLsColors = forms.bool true "Whether lists of files have colours.";
    autosuggestions = {
      enable = lib.mkEnableOption "suggestions from the history while a line is typed";
      strategy = forms.of (types.listOf (types.enum [ "history" "completion" "match_prev_cmd" ])) [ "history" ] "Where they come from.";
      highlightStyle = forms.str "fg=8" "How they look.";
      async = forms.bool true "Whether they are looked for beside.";
      extraConfig = forms.of (types.attrsOf types.str) { } "Variables of the plugin.";
    };
    syntaxHighlighting = {
      enable = lib.mkEnableOption "colours of the line that is typed";
      highlighters = forms.of (types.listOf (types.enum [ "main" "brackets" "pattern" "regexp" "cursor" "root" "line" ])) [ "main" ] "What is coloured.";
      patterns = forms.of (types.attrsOf types.str) { } "Styles by pattern.";
      styles = forms.of (types.attrsOf types.str) { } "Styles by kind of word.";
    };
  };

  config = lib.mkIf cfg.enable {
    programs.zsh.shellAliases = lib.mapAttrs (_: lib.mkDefault) shared.shellAliases;
    environment.systemPackages = [
      pkgs.zsh
    ]
    ++ lib.optional cfg.autosuggestions.enable pkgs.zsh-autosuggestions
    ++ lib.optional cfg.syntaxHighlighting.enable pkgs.zsh-syntax-highlighting;
    environment.shells = [ "/usr/bin/zsh" "/bin/zsh" ];
    environment.etc = {
      "zsh/zshenv".text = ''
        # Read by every zsh.
        if [ -n "''${__ETC_ZSHENV_SOURCED-}" ]; then return; fi
        __ETC_ZSHENV_SOURCED=1
        if [ -z "''${__FIRN_SET_ENVIRONMENT-}" ]; then . /etc/set-environment; fi
        ${shared.shellInit}
        ${cfg.shellInit}
      '';
      "zsh/zprofile".text = ''
        # Read by login shells.
        if [ -n "''${__ETC_ZPROFILE_SOURCED-}" ]; then return; fi
        __ETC_ZPROFILE_SOURCED=1
        ${shared.loginShellInit}
        ${cfg.loginShellInit}
      '';
      "zsh/zshrc".text = ''
        # Read by interactive shells.
        if [ -n "''${__ETC_ZSHRC_SOURCED-}" ]; then return; fi
        __ETC_ZSHRC_SOURCED=1
        ${lib.optionalString (cfg.setOptions != [ ]) "setopt ${lib.concatStringsSep " " cfg.setOptions}"}
        SAVEHIST=${toString cfg.histSize}
        HISTSIZE=${toString cfg.histSize}
        HISTFILE=${cfg.histFile}
        ${lib.optionalString cfg.enableGlobalCompInit "autoload -U compinit && compinit"}
        ${lib.optionalString cfg.enableBashCompletion "autoload -U bashcompinit && bashcompinit"}
        ${shared.interactiveShellInit}
        ${cfg.interactiveShellInit}
        ${lib.optionalString cfg.enableLsColors ''eval "$(dircolors -b)"''}
        ${aliases}
        ${cfg.promptInit}
        ${lib.optionalString cfg.autosuggestions.enable ''
          . /usr/share/zsh-autosuggestions/zsh-autosuggestions.zsh
          export ZSH_AUTOSUGGEST_HIGHLIGHT_STYLE=${lib.escapeShellArg cfg.autosuggestions.highlightStyle}
          export ZSH_AUTOSUGGEST_STRATEGY=(${lib.concatStringsSep " " cfg.autosuggestions.strategy})
          ${lib.optionalString (!cfg.autosuggestions.async) "unset ZSH_AUTOSUGGEST_USE_ASYNC"}
          ${lib.concatStrings (lib.mapAttrsToList (name: value: "export ${name}=${lib.escapeShellArg value}\n") cfg.autosuggestions.extraConfig)}
        ''}
        ${lib.optionalString cfg.syntaxHighlighting.enable ''
          . /usr/share/zsh-syntax-highlighting/zsh-syntax-highlighting.zsh
          ZSH_HIGHLIGHT_HIGHLIGHTERS=(${lib.concatStringsSep " " cfg.syntaxHighlighting.highlighters})
          ${lib.concatStrings (
            lib.mapAttrsToList (name: value: "ZSH_HIGHLIGHT_PATTERNS+=(${lib.escapeShellArgs [ name value ]})\n") cfg.syntaxHighlighting.patterns
          )}
          ${lib.concatStrings (
            lib.mapAttrsToList (name: value: "ZSH_HIGHLIGHT_STYLES[${name}]=${lib.escapeShellArg value}\n") cfg.syntaxHighlighting.styles
          )}
        ''}
        if [ "$TERM" = dumb ]; then
          unsetopt zle prompt_cr prompt_subst
          PS1='$ '
        fi
      '';
    };
  };
}
