# Options of NixOS that files made by nixos-generate-config set, and that have one right value here.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.boot = {
    extraModulePackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages with further kernel modules. None can be had here: modules are those of Debian's kernel.";
    };
    loader.grub = {
      enable = mkOption {
        type = types.bool;
        default = false;
        description = "Whether GRUB starts the machine. It cannot here: see {option}`boot.loader.systemd-boot.enable`.";
      };
      device = mkOption {
        type = types.str;
        default = "nodev";
        description = "Disk that GRUB is written to.";
      };
      devices = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Disks that GRUB is written to.";
      };
      efiSupport = mkOption {
        type = types.bool;
        default = false;
        description = "Whether GRUB is started by UEFI firmware.";
      };
      useOSProber = mkOption {
        type = types.bool;
        default = false;
        description = "Whether GRUB's menu has other systems of the machine.";
      };
      efiInstallAsRemovable = mkOption {
        type = types.bool;
        default = false;
        description = "Whether GRUB lies where all firmware looks.";
      };
    };
    initrd.luks.devices = mkOption {
      type = types.attrsOf types.attrs;
      default = { };
      description = "Encrypted devices that are opened before the root file system is mounted. They cannot be here.";
    };
  };
  config.assertions = [
    {
      assertion = config.boot.initrd.luks.devices == { };
      message = "boot.initrd.luks.devices: the first stage opens no encrypted devices; what the system lies on cannot be encrypted";
    }
    {
      assertion = config.boot.extraModulePackages == [ ];
      message = "boot.extraModulePackages: kernel modules outside Debian's kernel package are not supported";
    }
    {
      assertion = !config.boot.loader.grub.enable;
      message = "boot.loader.grub.enable: GRUB is not supported; set boot.loader.systemd-boot.enable, on a machine with UEFI";
    }
  ];
}
