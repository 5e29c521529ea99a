# Firmware and microcode, from Debian's component non-free-firmware.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.hardware;
  microcode =
    vendor: package:
    mkOption {
      type = types.bool;
      default = false;
      description = "Whether microcode of ${vendor} processors is loaded at boot: the package ${package}.";
    };
  processors =
    lib.optional cfg.cpu.intel.updateMicrocode "intel-microcode"
    ++ lib.optional cfg.cpu.amd.updateMicrocode "amd64-microcode";
  firmware = lib.optionals (cfg.enableRedistributableFirmware || cfg.enableAllFirmware) [
    "firmware-atheros"
    "firmware-brcm80211"
    "firmware-iwlwifi"
    "firmware-linux-free"
    "firmware-linux-nonfree"
    "firmware-realtek"
  ];
  missing = builtins.filter (name: !(pkgs.lock.packages ? ${name})) (processors ++ firmware);
in
{
  options.hardware = {
    enableRedistributableFirmware = mkOption {
      type = types.bool;
      default = cfg.enableAllFirmware;
      defaultText = lib.literalExpression "config.hardware.enableAllFirmware";
      description = "Whether firmware that may be passed on is part of the system, from Debian's component non-free-firmware.";
    };
    enableAllFirmware = mkOption {
      type = types.bool;
      default = false;
      description = "As {option}`hardware.enableRedistributableFirmware`.";
    };
    cpu.intel.updateMicrocode = microcode "Intel's" "intel-microcode";
    cpu.amd.updateMicrocode = microcode "AMD's" "amd64-microcode";
  };
  config = {
    assertions = [
      {
        assertion = missing == [ ];
        message = "hardware: the lock of Debian packages lacks firmware; 'firn deb add --component non-free-firmware ${lib.concatStringsSep " " missing}' adds it";
      }
    ];
    system.debian.packages = lib.optionals (missing == [ ]) firmware;
    boot.initrd.microcode = lib.optionals (missing == [ ]) (map (name: pkgs.${name}) processors);
  };
}
