# Firn itself, so that the machine can rebuild itself; and what a switch that was interrupted needs at the next start.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.programs.firn;
in
{
  options.programs.firn = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether Firn, with the Node.js it runs on, is part of the system. Without it the machine is changed from elsewhere only, and
        its closure is some 130 MB smaller.
      '';
    };
    package = mkOption {
      type = types.package;
      default = pkgs.firn;
      defaultText = lib.literalExpression "pkgs.firn";
      description = "Firn's package.";
    };
  };
  config = lib.mkIf cfg.enable {
    # Firn builds in a sandbox and unpacks packages with xz.
    environment.systemPackages = [
      cfg.package
      pkgs.bubblewrap
      pkgs.xz-utils
    ];

    systemd.services.firn-recover = {
      description = "Finish or undo an interrupted switch of the system";
      wantedBy = [ "multi-user.target" ];
      # Only at the start of the machine: the first switch leaves a mark in /run.
      unitConfig.ConditionPathExists = [
        "/var/lib/firn/switch.json"
        "!/run/firn/start"
      ];
      restartIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        ExecStart = "${cfg.package}/bin/firn os recover";
      };
    };
  };
}
