# Options of NixOS that files made by nixos-generate-config set, and that have one right value here.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
in
{
  options.boot = {
    extraModulePackages = forms.packages "Packages with further kernel modules. None can be had here: modules are those of Debian's kernel.";
    loader.grub = {
      enable = forms.bool false "Whether GRUB starts the machine. It cannot here: see {option}`boot.loader.systemd-boot.enable`.";
      device = forms.str "nodev" "Disk that GRUB is written to.";
      devices = forms.strings "Disks that GRUB is written to.";
      efiSupport = forms.bool false "Whether GRUB is started by UEFI firmware.";
      useOSProber = forms.bool false "Whether GRUB's menu has other systems of the machine.";
      efiInstallAsRemovable = forms.bool false "Whether GRUB lies where all firmware looks.";
    };
    initrd.luks.devices = forms.attrsOf types.attrs "Encrypted devices that are opened before the root file system is mounted. They cannot be here.";
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
