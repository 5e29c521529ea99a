# fish for the whole machine.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.programs.fish;
  shared = config.environment;
  quote = text: "'${builtins.replaceStrings [ "\\" "'" ] [ "\\\\" "\\'" ] "${text}"}'";
  # Texts for other shells are run by one; fish takes over what they did to the environment.
  foreign = name: text: lib.optionalString (text != "") "__firn_source ${pkgs.writeText name text}\n";
in
{
  options.programs.fish = {
    enable = lib.mkEnableOption "fish";
    package = forms.package "fish";
    vendor = {
      completions.enable = forms.bool true "Whether completions of other packages are used.";
      functions.enable = forms.bool true "Whether functions of other packages are used.";
    };
    shellAbbrs = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        gco = "git checkout";
      };
      description = "Abbreviations.";
    };
    shellAliases = mkOption {
      type = types.attrsOf (types.nullOr (types.either types.str types.path));
      default = { };
      description = "Aliases besides {option}`environment.shellAliases`; null removes one.";
    };
    shellInit = forms.lines "Text that every fish runs.";
    loginShellInit = forms.lines "Text that login shells run.";
    interactiveShellInit = forms.lines "Text that interactive shells run.";
    promptInit = forms.lines "Text that sets the prompt.";
  };

  config = lib.mkIf cfg.enable {
    programs.fish.shellAliases = lib.mapAttrs (_: lib.mkDefault) shared.shellAliases;
    environment.systemPackages = [ cfg.package ];
    environment.shells = [ "/usr/bin/fish" "/bin/fish" ];
    environment.etc."fish/config.fish".text = ''
      function __firn_source
        for pair in (bash -c '. "$1" >/dev/null; env -0' bash $argv[1] | string split0)
          set -l parts (string split -m 1 = -- $pair)
          contains -- $parts[1] PWD OLDPWD SHLVL _
          or set -gx $parts[1] "$parts[2]"
        end
      end
      if not set -q __FIRN_SET_ENVIRONMENT
        __firn_source /etc/set-environment
      end
      ${lib.optionalString (!cfg.vendor.completions.enable) "set fish_complete_path (string match -v '*/vendor_completions.d' -- $fish_complete_path)"}
      ${lib.optionalString (!cfg.vendor.functions.enable) "set fish_function_path (string match -v '*/vendor_functions.d' -- $fish_function_path)"}
      ${foreign "shell-init" shared.shellInit}
      ${cfg.shellInit}
      if status is-login
        ${foreign "login-shell-init" shared.loginShellInit}
        ${cfg.loginShellInit}
      end
      if status is-interactive
        ${foreign "interactive-shell-init" shared.interactiveShellInit}
        ${lib.concatStrings (lib.mapAttrsToList (name: value: "abbr -a -- ${name} ${quote value}\n") cfg.shellAbbrs)}
        ${lib.concatStrings (
          lib.mapAttrsToList (name: value: "alias ${name} ${quote value}\n") (lib.filterAttrs (_: value: value != null) cfg.shellAliases)
        )}
        ${cfg.promptInit}
        ${cfg.interactiveShellInit}
      end
    '';
  };
}
