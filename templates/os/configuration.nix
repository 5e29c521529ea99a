# What this machine is. `firn os option NAME` explains an option.
{ pkgs, ... }:
{
  networking.hostName = "firn";
  # time.timeZone = "Europe/Zurich";

  boot.loader.systemd-boot.enable = true;
  boot.kernelParams = [
    "console=tty0"
    "console=ttyS0"
  ];
  fileSystems."/" = {
    device = "/dev/disk/by-label/root";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    device = "/dev/disk/by-label/ESP";
    fsType = "vfat";
    options = [ "umask=0077" ];
  };

  # Who may log in. Make a hash with: openssl passwd -6
  # users.users.alice = {
  #   isNormalUser = true;
  #   extraGroups = [ "wheel" ];
  #   hashedPassword = "…";
  #   openssh.authorizedKeys.keys = [ "ssh-ed25519 …" ];
  # };

  services.openssh = {
    enable = true;
    settings.PasswordAuthentication = false;
  };

  # Programs for everybody.
  environment.systemPackages = [ pkgs.curl ];

  # The version that this machine was installed with; leave it as it is.
  system.stateVersion = "26.11";
}
