# Jellyfin behind nginx, its library on a disk of its own, shared with the house by Samba.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  imports = [ ../authority.nix ];

  networking = {
    hostName = "media";
    hosts."127.0.0.1" = [ "jellyfin.example.test" ];
    firewall.allowedTCPPorts = [
      80
      443
    ];
  };

  users.groups.media = { };
  users.users.alice = {
    isNormalUser = true;
    extraGroups = [ "media" ];
  };

  services.jellyfin = {
    enable = true;
    openFirewall = true;
    group = "media";
    dataDir = "/srv/jellyfin";
  };
  systemd.services.jellyfin.serviceConfig.UMask = lib.mkForce "0007";

  services.nginx = {
    enable = true;
    recommendedProxySettings = true;
    recommendedTlsSettings = true;
    virtualHosts."jellyfin.example.test" = {
      enableACME = true;
      forceSSL = true;
      http2 = true;
      extraConfig = ''
        client_max_body_size 20M;
        add_header X-Content-Type-Options "nosniff";
      '';
      locations."/" = {
        proxyPass = "http://127.0.0.1:8096";
        proxyWebsockets = true;
        extraConfig = "proxy_buffering off;";
      };
      locations."/socket" = {
        proxyPass = "http://127.0.0.1:8096";
        proxyWebsockets = true;
      };
    };
  };
  security.acme = {
    acceptTerms = true;
    defaults.email = "alice@example.test";
  };

  services.samba = {
    enable = true;
    openFirewall = true;
    nmbd.enable = false;
    settings = {
      global = {
        "workgroup" = "HOME";
        "server string" = config.networking.hostName;
        "hosts allow" = "192.168.0. 127.0.0.1 localhost";
        "hosts deny" = "0.0.0.0/0";
        "map to guest" = "bad user";
      };
      media = {
        "path" = "/srv/media";
        "browseable" = "yes";
        "guest ok" = "yes";
        "read only" = "yes";
        "write list" = "@media";
      };
    };
  };
  systemd.tmpfiles.rules = [
    "d /srv/media 2775 root media -"
    "f /srv/media/film 0664 root media - pictures"
  ];
  environment.systemPackages = [
    pkgs.curl
    pkgs.smbclient
  ];
  system.stateVersion = "26.05";
}
