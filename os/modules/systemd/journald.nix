# The journal.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.journald;
in
{
  options.services.journald = {
    storage = mkOption {
      type = types.enum [ "persistent" "volatile" "auto" "none" ];
      default = "persistent";
      description = "Where the journal is kept.";
    };
    console = mkOption {
      type = types.str;
      default = "";
      example = "/dev/tty12";
      description = "Terminal to which messages are written as well.";
    };
    rateLimitInterval = mkOption {
      type = types.str;
      default = "30s";
      description = "Interval of the rate limit.";
    };
    rateLimitBurst = mkOption {
      type = types.int;
      default = 10000;
      description = "Messages of one service that are kept within the interval.";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      example = "SystemMaxUse=100M";
      description = "Further lines of journald.conf(5).";
    };
  };
  config = {
    environment.etc."systemd/journald.conf".text = ''
      [Journal]
      Storage=${cfg.storage}
      RateLimitInterval=${cfg.rateLimitInterval}
      RateLimitBurst=${toString cfg.rateLimitBurst}
      ${lib.optionalString (cfg.console != "") "ForwardToConsole=yes\nTTYPath=${cfg.console}\n"}${cfg.extraConfig}
    '';
    systemd.services.systemd-journald.restartTriggers = [ config.environment.etc."systemd/journald.conf".source ];
    systemd.tmpfiles.rules = lib.optional (cfg.storage == "persistent") "d /var/log/journal 2755 root systemd-journal -";
  };
}
