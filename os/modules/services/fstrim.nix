# Tells disks which blocks are free, by the clock.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.fstrim;
in
{
  options.services.fstrim = {
    enable = lib.mkEnableOption "telling disks of flash memory which blocks are free";
    interval = mkOption {
      type = types.str;
      default = "weekly";
      description = "When, as a calendar event of systemd.time(7).";
    };
  };
  # The units are those of util-linux; without the option the timer is masked.
  config.systemd = lib.mkMerge [
    (lib.mkIf cfg.enable {
      timers.fstrim = {
        wantedBy = [ "timers.target" ];
        overrideStrategy = "asDropin";
        timerConfig.OnCalendar = [
          ""
          cfg.interval
        ];
      };
    })
    (lib.mkIf (!cfg.enable) { units."fstrim.timer".enable = false; })
  ];
}
