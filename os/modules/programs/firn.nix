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
    environment.systemPackages = [ cfg.package ];
    # Node.js is linked with the C++ library; Firn builds in a sandbox, unpacks packages with xz and checks the archive's signatures.
    system.debian.packages = [
      "bubblewrap"
      "ca-certificates"
      "debian-archive-keyring"
      "libstdc++6"
      "xz-utils"
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
