# direnv: sets variables by directory.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.programs.direnv;
  hook = shell: "${if cfg.loadInNixShell then "" else "[ -n \"$IN_NIX_SHELL\" ] || "}eval \"$(direnv hook ${shell})\"\n";
  shown = shell: forms.bool true "Whether ${shell} knows it.";
in
{
  options.programs.direnv = {
    enable = lib.mkEnableOption "direnv, which sets variables by directory";
    package = forms.package "direnv";
    enableBashIntegration = shown "bash";
    enableZshIntegration = shown "zsh";
    enableFishIntegration = shown "fish";
    loadInNixShell = forms.bool true "Whether it works in shells of `firn develop` too.";
    silent = forms.bool false "Whether it tells nothing of what it sets.";
    direnvrcExtra = forms.lines "Text added to direnvrc.";
    settings = lib.mkOption {
      type = types.attrsOf forms.json;
      default = { };
      example.global.load_dotenv = true;
      description = "Settings of direnv.toml(1).";
    };
  };
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.variables.DIRENV_CONFIG = "/etc/direnv";
    environment.etc = {
      "direnv/direnv.toml" = lib.mkIf (cfg.settings != { }) { source = (pkgs.formats.toml { }).generate "direnv.toml" cfg.settings; };
      "direnv/direnvrc".text = ''
        ${cfg.direnvrcExtra}
        own=''${XDG_CONFIG_HOME:-$HOME/.config}/direnv/direnvrc
        if [[ -f $own ]]; then source "$own" >&2; elif [[ -f $HOME/.direnvrc ]]; then source "$HOME/.direnvrc" >&2; fi
        unset own
      '';
    };
    # Debian 12's direnv tells nothing when its format of messages is empty.
    environment.extraInit = lib.mkIf cfg.silent "export DIRENV_LOG_FORMAT=\n";
    programs = {
      bash.interactiveShellInit = lib.mkIf cfg.enableBashIntegration (hook "bash");
      zsh.interactiveShellInit = lib.mkIf cfg.enableZshIntegration (hook "zsh");
      fish.interactiveShellInit = lib.mkIf cfg.enableFishIntegration (
        if cfg.loadInNixShell then "direnv hook fish | source\n" else "test -n \"$IN_NIX_SHELL\"; or direnv hook fish | source\n"
      );
    };
  };
}
