# What houses and small offices run besides: names, time, directories kept equal, figures of services, arrays and small helpers.
{ config, modulesPath, pkgs, ... }:
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];
  boot.isContainer = true;
  systemd.network.wait-online.enable = false;
  environment.systemPackages = [ pkgs.curl pkgs.jq pkgs.exiftool pkgs.dnsutils ];

  networking = {
    hostName = "house";
    bridges.lan.interfaces = [ ];
    # Rules of one's own in place of the firewall, and translation of addresses with them.
    firewall.enable = false;
    nat = {
      enable = true;
      externalInterface = "wan";
      internalInterfaces = [ "lan" ];
    };
    nftables.ruleset = ''
      table inet mine {
        chain input {
          type filter hook input priority 0;
          ip saddr 203.0.113.9 drop
        }
      }
    '';
  };

  services.unbound = {
    enable = true;
    resolveLocalQueries = false;
    localControlSocketPath = "/run/unbound.ctl";
    settings = {
      server = {
        interface = [ "127.0.0.7" ];
        local-zone = [ "\"house.\" static" ];
        local-data = [ "\"door.house. A 192.0.2.7\"" ];
      };
      forward-zone = [
        {
          name = ".";
          forward-addr = [ "192.0.2.53" ];
        }
      ];
    };
  };
  services.radvd = {
    enable = true;
    config = "interface lan { IgnoreIfMissing on; AdvSendAdvert on; prefix 2001:db8:1234::/64 { }; };";
  };
  services.chrony = {
    enable = true;
    servers = [ "time.house" ];
    # A container's clock is its host's.
    extraFlags = [ "-x" ];
    extraConfig = "allow 192.0.2.0/24";
  };
  services.earlyoom = {
    enable = true;
    freeMemThreshold = 3;
    extraArgs = [ "--prefer '^hungry$'" ];
  };
  services.vnstat.enable = true;
  services.atd.enable = true;
  services.samba-wsdd = {
    enable = true;
    workgroup = "HOUSE";
  };
  services.locate = {
    enable = true;
    pruneNames = [ "hidden" ];
  };
  programs.direnv = {
    enable = true;
    silent = true;
    settings.global.warn_timeout = "10s";
  };
  programs.msmtp = {
    enable = true;
    defaults.tls = false;
    accounts.default = {
      host = "127.0.0.1";
      port = 2525;
      from = "house@example.org";
    };
  };

  services.syncthing = {
    enable = true;
    settings = {
      gui.theme = "dark";
      options.urAccepted = -1;
      devices.laptop.id = "7CFNTQM-IMTJBHJ-3UWRDIU-ZGQJFR6-VCXZ3NB-XUH3KZO-N52ITXR-LAIYUAU";
      folders.photos = {
        path = "/var/lib/syncthing/photos";
        devices = [ "laptop" ];
        versioning = {
          type = "simple";
          params.keep = "5";
        };
      };
    };
  };

  services.nginx = {
    enable = true;
    statusPage = true;
  };
  services.postgresql.enable = true;
  services.mysql = {
    enable = true;
    package = pkgs.mariadb;
  };
  services.redis.servers."".enable = true;
  services.prometheus.exporters = {
    blackbox = {
      enable = true;
      configFile = pkgs.writeText "blackbox.yml" "modules: { page: { prober: http, timeout: 5s } }";
    };
    nginx = {
      enable = true;
      constLabels = [ "house=mine" ];
    };
    postgres = {
      enable = true;
      runAsLocalSuperUser = true;
    };
    redis.enable = true;
    mysqld = {
      enable = true;
      runAsLocalSuperUser = true;
    };
  };
  users.users.alice = {
    isNormalUser = true;
    uid = 1000;
  };
}
