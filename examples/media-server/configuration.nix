# A machine that serves music, pictures and films to the players of the house.
{ pkgs, ... }:
{
  networking.hostName = "media";
  time.timeZone = "Europe/Zurich";

  boot.loader.systemd-boot.enable = true;
  boot.kernelParams = [ "console=tty0" "console=ttyS0" ];
  fileSystems."/" = {
    device = "/dev/disk/by-label/root";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    device = "/dev/disk/by-label/ESP";
    fsType = "vfat";
    options = [ "umask=0077" ];
  };

  # The media server itself answers on port 8200; nginx shows its page on port 80.
  services.minidlna = {
    enable = true;
    openFirewall = true;
    settings = {
      friendly_name = "The house's films";
      media_dir = [ "/srv/media" ];
    };
  };
  systemd.tmpfiles.rules = [ "d /srv/media 0775 alice users -" ];

  services.nginx = {
    enable = true;
    virtualHosts.media = {
      default = true;
      # The media server answers to addresses only, so it is not given the name that the browser asked for.
      locations."/".proxyPass = "http://127.0.0.1:8200";
    };
  };

  services.openssh = {
    enable = true;
    settings.PasswordAuthentication = false;
  };
  networking.firewall.allowedTCPPorts = [ 80 ];

  users.users.alice = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    # The password is "media"; make your own with: openssl passwd -6
    hashedPassword = "$6$firn.example$o2v.wsSj9R4ClK3JT2GcVTuGfsK9RwN/KRYKM59lu4UHCP9ZdH7bej1j0vwCfyyKDUFX0yDcSXE0xztA5j61r1";
    openssh.authorizedKeys.keys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOCzLlvjpTe9WmHoeJYf+pRwJe04yHn1Sd8H3sEwtZIC alice@example"
    ];
  };

  environment.systemPackages = [
    pkgs.htop
    pkgs.curl
  ];

  system.stateVersion = "26.11";
}
