# Rules for devices, and the database of what devices are.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.udev;
  # The database as udev reads it: made of the texts of its package and those of the configuration.
  database =
    pkgs.runCommand "hwdb"
      {
        source = pkgs.udev.unpacked;
        inherit (cfg) extraHwdb;
        passAsFile = [ "extraHwdb" ];
      }
      ''
        mkdir -p root/lib/udev/hwdb.d root/etc/udev/hwdb.d $out
        for directory in $source/lib/udev/hwdb.d $source/usr/lib/udev/hwdb.d; do
          if [ -d $directory ]; then cp $directory/* root/lib/udev/hwdb.d/; fi
        done
        cp "$extraHwdbPath" root/etc/udev/hwdb.d/99-local.hwdb
        ${pkgs.udev}/bin/systemd-hwdb update --root="$PWD/root"
        cp root/etc/udev/hwdb.bin $out/hwdb.bin
      '';
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
      example = "evdev:input:b0003v05AFp8277*\n  KEYBOARD_KEY_70039=leftalt";
      description = "Entries of the hardware database, besides those of udev.";
    };
  };
  config = {
    environment.etc."udev/rules.d/99-local.rules" = lib.mkIf (cfg.extraRules != "") { text = cfg.extraRules; };
    environment.etc."udev/hwdb.bin" = lib.mkIf config.boot.kernel.enable { source = "${database}/hwdb.bin"; };
    # The texts that the database is made of.
    system.debian.exclude = [ "usr/lib/udev/hwdb.d" ];
    systemd.services.systemd-udevd.reloadTriggers = lib.mkIf (cfg.extraRules != "") [ cfg.extraRules ];
  };
}
