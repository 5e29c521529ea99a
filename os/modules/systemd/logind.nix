# Logins and power keys.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  options = import ./unit-options.nix {
    inherit lib;
    pkgs = null;
  };
  cfg = config.services.logind;
in
{
  options.services.logind = {
    settings.Login = mkOption {
      type = options.section;
      default = { };
      example = {
        HandleLidSwitch = "ignore";
      };
      description = "Settings of logind; see logind.conf(5).";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Further lines of the section `[Login]`.";
    };
  };
  config.environment.etc."systemd/logind.conf".text =
    let
      text = import ./unit-text.nix {
        inherit lib;
        pkgs = null;
      };
    in
    "[Login]\n${text.keys ({ KillUserProcesses = false; } // cfg.settings.Login)}${cfg.extraConfig}";
}
