# What this machine is. `firn os generate-config` writes its hardware-configuration.nix.
{ lib, pkgs, ... }:
{
  imports = lib.optional (builtins.pathExists ./hardware-configuration.nix) ./hardware-configuration.nix;

  networking.hostName = "nixos";
  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";

  boot.loader.systemd-boot.enable = true;
  boot.loader.efi.canTouchEfiVariables = true;
  fileSystems."/" = lib.mkDefault {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };

  # users.users.alice = {
  #   isNormalUser = true;
  #   extraGroups = [ "wheel" ];
  # };

  environment.systemPackages = [ pkgs.git ];

  nix.settings.experimental-features = [
    "nix-command"
    "flakes"
  ];

  # The version that this machine was installed with; leave it as it is.
  system.stateVersion = "26.11";
}
