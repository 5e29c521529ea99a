# polkit: which users may do what of that which services do for them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.security.polkit;
in
{
  options.security.polkit = {
    enable = lib.mkEnableOption "polkit, which lets users do things that services do for them";
    package = forms.package "polkitd";
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      example = ''
        polkit.addRule(function(action, subject) {
          if (action.id == "org.freedesktop.login1.reboot" && subject.isInGroup("users")) return polkit.Result.YES;
        });
      '';
      description = "Rules, in JavaScript. Passwords are not asked for: what no rule grants is root's.";
    };
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb ];
    environment.etc."polkit-1/rules.d/10-rules.rules".text = cfg.extraConfig;
    users.users.polkitd = {
      group = "polkitd";
      isSystemUser = true;
      description = "polkit";
    };
    users.groups.polkitd = { };
    systemd.services.polkit = {
      wantedBy = [ "multi-user.target" ];
      restartTriggers = [ cfg.extraConfig ];
    };
  };
}
