# less, which shows texts page by page.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.programs.less;
in
{
  options.programs.less = {
    enable = lib.mkEnableOption "less as what shows long texts";
    package = forms.package "less";
    envVariables = forms.attrsOf types.str "Variables that less reads, such as `LESS`.";
    lessopen = forms.optional types.str "What files are passed through.";
    lessclose = forms.optional types.str "What is run afterwards.";
  };
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.variables = {
      PAGER = lib.mkDefault "less";
    }
    // cfg.envVariables
    // lib.optionalAttrs (cfg.lessopen != null) { LESSOPEN = cfg.lessopen; }
    // lib.optionalAttrs (cfg.lessclose != null) { LESSCLOSE = cfg.lessclose; };
  };
}
