# Units of the managers that each user has.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.systemd.user;
  options = import ./unit-options.nix { inherit lib pkgs; };
  text = import ./unit-text.nix { inherit lib pkgs; };
  unitFiles = import ./unit-files.nix { inherit lib; };
  unitsOf =
    kind: description:
    mkOption {
      type = types.attrsOf (types.submodule { options = options.${kind}; });
      default = { };
      inherit description;
    };
in
{
  options.systemd.user = {
    units = unitsOf "units" "Unit files of users as text; normally made by {option}`systemd.user.services` and its kin.";
    services = unitsOf "services" "Services of every user.";
    targets = unitsOf "targets" "Targets of every user.";
    sockets = unitsOf "sockets" "Sockets of every user.";
    timers = unitsOf "timers" "Timers of every user.";
    paths = unitsOf "paths" "Path units of every user.";
    slices = unitsOf "slices" "Slices of every user.";
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      example = "DefaultTimeoutStopSec=60s";
      description = "Lines of the section `[Manager]` of the configuration of users' managers.";
    };
  };
  config = {
    systemd.user = {
      units = unitFiles.common {
        inherit text;
        globalEnvironment = { };
        options = cfg;
      };
      timers = unitFiles.timersOf cfg.services;
    };
    environment.etc."systemd/user" = lib.mkIf (cfg.units != { }) {
      source = pkgs.buildTree (
        unitFiles.directory {
          scope = "user";
          inherit (config.system.debian) env;
          sw = config.system.path;
          inherit (cfg) units;
          packages = builtins.filter (package: !(package ? deb)) config.systemd.packages;
        }
        // {
          name = "user-units";
        }
      );
    };
    environment.etc."systemd/user.conf" = lib.mkIf (cfg.extraConfig != "") { text = "[Manager]\n${cfg.extraConfig}"; };
  };
}
