# What this machine is. `firn os option NAME` explains an option.
{ pkgs, ... }:
{
  networking.hostName = "desk";
  # time.timeZone = "Europe/Zurich";
  # i18n.defaultLocale = "de_CH.UTF-8";

  boot.loader.systemd-boot.enable = true;
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
  #   extraGroups = [ "wheel" "networkmanager" "video" ];
  #   hashedPassword = "…";
  # };

  # Windows, and the question who wants them. Mod4+Return opens a terminal, Mod4+d starts programs.
  programs.sway = {
    enable = true;
    wrapperFeatures.gtk = true;
  };
  # environment.etc."sway/config.d/keyboard.conf".text = "input * xkb_layout ch";
  services.greetd.enable = true;
  programs.firefox.enable = true;

  # Sound.
  security.rtkit.enable = true;
  services.pipewire = {
    enable = true;
    alsa.enable = true;
    pulse.enable = true;
  };

  fonts = {
    packages = [ pkgs.fonts-dejavu ];
    fontconfig.defaultFonts.monospace = [ "DejaVu Sans Mono" ];
  };

  # The network is NetworkManager's: nmtui, nmcli.
  networking.networkmanager.enable = true;
  hardware.bluetooth.enable = true;
  services.upower.enable = true;
  services.printing.enable = true;
  services.avahi = {
    enable = true;
    nssmdns4 = true;
  };

  # Programs for everybody. Of packages that the lock lacks, an error tells how to add them.
  environment.systemPackages = [
    pkgs.curl
    pkgs.git
    pkgs.waybar
  ];

  # The version that this machine was installed with; leave it as it is.
  system.stateVersion = "26.11";
}
