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
    loader.grub.enable = mkOption {
      type = types.bool;
      default = false;
      description = "Whether GRUB starts the machine. It cannot here: see {option}`boot.loader.systemd-boot.enable`.";
    };
  };
  config.assertions = [
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
