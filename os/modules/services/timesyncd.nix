# The clock, set from the network by systemd-timesyncd.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.timesyncd;
in
{
  options = {
    services.timesyncd = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the clock is set from time servers.";
      };
      servers = mkOption {
        type = types.nullOr (types.listOf types.str);
        default = config.networking.timeServers;
        defaultText = lib.literalExpression "config.networking.timeServers";
        description = "The servers.";
      };
      extraConfig = mkOption {
        type = types.lines;
        default = "";
        description = "Further lines of timesyncd.conf(5).";
      };
    };
    networking.timeServers = mkOption {
      type = types.listOf types.str;
      default = map (n: "${toString n}.debian.pool.ntp.org") [ 0 1 2 3 ];
      description = "Time servers.";
    };
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ "systemd-timesyncd" ];
    environment.etc."systemd/timesyncd.conf".text = ''
      [Time]
      ${lib.optionalString (cfg.servers != null) "NTP=${lib.concatStringsSep " " cfg.servers}\n"}${cfg.extraConfig}
    '';
    systemd.services.systemd-timesyncd = {
      wantedBy = [ "sysinit.target" ];
      aliases = [ "dbus-org.freedesktop.timesync1.service" ];
      restartTriggers = [ config.environment.etc."systemd/timesyncd.conf".source ];
    };
  };
}
