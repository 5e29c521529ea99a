# Rules for devices.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.udev;
in
{
  options.services.udev = {
    extraRules = mkOption {
      type = types.lines;
      default = "";
      example = ''ENV{ID_VENDOR_ID}=="046d", ENV{PULSE_IGNORE}="1"'';
      description = "Rules of udev, read after all others.";
    };
    extraHwdb = mkOption {
      type = types.lines;
      default = "";
      description = "Entries of the hardware database.";
    };
  };
  config = {
    environment.etc."udev/rules.d/99-local.rules" = lib.mkIf (cfg.extraRules != "") { text = cfg.extraRules; };
    environment.etc."udev/hwdb.d/99-local.hwdb" = lib.mkIf (cfg.extraHwdb != "") { text = cfg.extraHwdb; };
    systemd.services.systemd-udevd.reloadTriggers = lib.mkIf (cfg.extraRules != "") [ cfg.extraRules ];
  };
}
