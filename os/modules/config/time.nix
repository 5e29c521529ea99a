# Time zone.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.time;
in
{
  options.time = {
    timeZone = mkOption {
      type = types.nullOr (
        types.addCheck types.str (text: builtins.match ".* .*" text == null)
        // {
          description = "null or string without spaces";
        }
      );
      default = null;
      example = "Europe/Zurich";
      description = "The time zone; null leaves it to be set by hand, UTC until then.";
    };
    hardwareClockInLocalTime = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the hardware clock shows local time instead of UTC.";
    };
  };

  config = {
    system.debian.packages = [ "tzdata" ];
    environment.etc = {
      adjtime = lib.mkIf cfg.hardwareClockInLocalTime { text = "0.0 0 0.0\n0\nLOCAL\n"; };
      localtime = lib.mkIf (cfg.timeZone != null) { source = "/usr/share/zoneinfo/${cfg.timeZone}"; };
      timezone = lib.mkIf (cfg.timeZone != null) { text = "${cfg.timeZone}\n"; };
    };
  };
}
