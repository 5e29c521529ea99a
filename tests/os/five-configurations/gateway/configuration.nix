# A machine at the edge of a network: a tunnel, who fails to log in is shut out, and a service in a container.
{
  config,
  pkgs,
  ...
}:
{
  imports = [ ./image.nix ];

  boot.kernel.sysctl."net.ipv4.ip_forward" = 1;
  networking = {
    hostName = "gateway";
    nat = {
      enable = true;
      externalInterface = "eth0";
      internalInterfaces = [ "wg0" ];
    };
    firewall = {
      allowedTCPPorts = [ 22 ];
      allowedUDPPorts = [ config.networking.wireguard.interfaces.wg0.listenPort ];
      trustedInterfaces = [ "wg0" ];
      logRefusedConnections = false;
    };
    wireguard.interfaces.wg0 = {
      ips = [ "10.100.0.1/24" ];
      listenPort = 51820;
      generatePrivateKeyFile = true;
      privateKeyFile = "/var/lib/wireguard/wg0.key";
      peers = [
        {
          publicKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
          allowedIPs = [ "10.100.0.2/32" ];
          persistentKeepalive = 25;
        }
      ];
    };
  };

  services.openssh = {
    enable = true;
    ports = [ 22 ];
    openFirewall = false;
    settings = {
      PasswordAuthentication = false;
      KbdInteractiveAuthentication = false;
      X11Forwarding = false;
    };
    extraConfig = "AllowTcpForwarding no";
  };
  services.fail2ban = {
    enable = true;
    maxretry = 3;
    bantime = "10m";
    ignoreIP = [ "10.100.0.0/24" ];
    bantime-increment = {
      enable = true;
      multipliers = "1 2 4 8 16 32 64";
      maxtime = "168h";
    };
    jails.sshd.settings.mode = "aggressive";
  };

  virtualisation.podman = {
    enable = true;
    dockerCompat = true;
    defaultNetwork.settings.dns_enabled = false;
  };
  virtualisation.oci-containers = {
    backend = "podman";
    containers.web = {
      image = "localhost/web:1";
      imageFile = config.test.image;
      pull = "never";
      autoStart = true;
      ports = [ "127.0.0.1:8080:80" ];
      volumes = [ "/srv/pages:/www/pages:ro" ];
      environment.TZ = "Europe/Zurich";
      extraOptions = [ "--hostname=web" ];
    };
  };
  systemd.tmpfiles.rules = [
    "d /srv/pages 0755 root root"
    "f /srv/pages/index.html 0644 root root - a page of the host"
  ];

  environment.systemPackages = [
    pkgs.curl
    pkgs.wireguard-tools
  ];
  system.stateVersion = "26.05";
}
