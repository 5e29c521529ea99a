# Firmware and microcode. Debian's main has neither: its free firmware only, so that these say what a machine would like.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.hardware;
  microcode =
    vendor: package:
    mkOption {
      type = types.bool;
      default = false;
      description = "Whether microcode of ${vendor} processors is part of the system: the package ${package}, when it is locked.";
    };
  wanted =
    lib.optional cfg.enableRedistributableFirmware "firmware-linux-free"
    ++ lib.optional cfg.cpu.intel.updateMicrocode "intel-microcode"
    ++ lib.optional cfg.cpu.amd.updateMicrocode "amd64-microcode";
in
{
  options.hardware = {
    enableRedistributableFirmware = mkOption {
      type = types.bool;
      default = cfg.enableAllFirmware;
      defaultText = lib.literalExpression "config.hardware.enableAllFirmware";
      description = "Whether firmware that may be passed on is part of the system: the package firmware-linux-free, when it is locked.";
    };
    enableAllFirmware = mkOption {
      type = types.bool;
      default = false;
      description = "As {option}`hardware.enableRedistributableFirmware`.";
    };
    cpu.intel.updateMicrocode = microcode "Intel's" "intel-microcode";
    cpu.amd.updateMicrocode = microcode "AMD's" "amd64-microcode";
  };
  config.system.debian.packages = builtins.filter (name: pkgs.lock.packages ? ${name}) wanted;
}
