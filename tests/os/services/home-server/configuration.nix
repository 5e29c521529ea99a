# A home server: Jellyfin behind nginx with a certificate, Grafana, PostgreSQL and Redis, backups and names.
{ config, modulesPath, pkgs, ... }:
{
  imports = [
    (modulesPath + "/profiles/minimal.nix")
    ./authority.nix
  ];
  boot.isContainer = true;
  networking.hostName = "home";
  systemd.network.wait-online.enable = false;
  environment.systemPackages = [ pkgs.curl ];

  services.jellyfin = {
    enable = true;
    openFirewall = true;
  };
  security.acme = {
    acceptTerms = true;
    defaults.email = "alice@home.test";
    certs."media.home.test".postRun = "echo ran >/run/post-run";
  };
  services.nginx = {
    enable = true;
    recommendedBrotliSettings = true;
    recommendedGzipSettings = true;
    recommendedProxySettings = true;
    recommendedTlsSettings = true;
    commonHttpConfig = "limit_req_zone $binary_remote_addr zone=few:1m rate=1r/m;";
    streamConfig = "server { listen 127.0.0.1:7000; proxy_pass 127.0.0.1:8096; }";
    upstreams.jellyfin.servers = {
      "127.0.0.1:8096" = { };
      "127.0.0.1:9".backup = true;
    };
    virtualHosts."media.home.test" = {
      enableACME = true;
      forceSSL = true;
      locations."/" = {
        proxyPass = "http://jellyfin";
        proxyWebsockets = true;
      };
    };
    virtualHosts."files.home.test" = {
      root = ./site;
      basicAuth.alice = "secret";
      locations."= /few".extraConfig = ''
        auth_basic off;
        limit_req zone=few;
        try_files /index.html =404;
      '';
    };
  };

  services.grafana = {
    enable = true;
    settings = {
      server = {
        domain = "figures.home.test";
        root_url = "http://figures.home.test/";
      };
      security.admin_password = "$__file{/run/grafana/password}";
      users.default_theme = "light";
      "auth.anonymous".enabled = false;
    };
    provision = {
      enable = true;
      datasources.settings.datasources = [
        {
          name = "Prometheus";
          type = "prometheus";
          url = "http://127.0.0.1:${toString config.services.prometheus.port}";
          isDefault = true;
          jsonData.timeInterval = "15s";
        }
      ];
      dashboards.settings.providers = [
        {
          name = "own";
          options.path = ./site;
        }
      ];
    };
  };
  systemd.services.grafana.preStart = "echo secret >/run/grafana/password";
  services.nginx.virtualHosts.${config.services.grafana.settings.server.domain}.locations."/" = {
    proxyPass = "http://${config.services.grafana.settings.server.http_addr}:${toString config.services.grafana.settings.server.http_port}";
    proxyWebsockets = true;
  };

  services.postgresql = {
    enable = true;
    package = pkgs.postgresql_15;
    ensureDatabases = [ "alice" ];
    ensureUsers = [
      {
        name = "alice";
        ensureDBOwnership = true;
        ensureClauses.createdb = true;
      }
    ];
    initialScript = pkgs.writeText "first.sql" "CREATE DATABASE first;";
    settings.max_connections = 20;
  };
  services.redis.servers."" = {
    enable = true;
    requirePassFile = "/etc/secret";
  };
  services.redis.servers.cache = {
    enable = true;
    port = 6390;
    settings.maxmemory = "20mb";
  };
  services.restic.backups = {
    home = {
      paths = [ "/home" ];
      exclude = [ "*.tmp" ];
      repository = "/srv/restic";
      passwordFile = "/etc/secret";
      initialize = true;
      pruneOpts = [ "--keep-last 3" ];
    };
    databases = {
      command = [ "runuser" "-u" "postgres" "--" "pg_dump" "alice" ];
      repository = "/srv/restic";
      passwordFile = "/etc/secret";
    };
    broken = {
      command = [ "echo" "half;" "false" ];
      repository = "/srv/restic";
      passwordFile = "/etc/secret";
    };
  };
  services.dnsmasq = {
    enable = true;
    settings.address = "/lan.test/10.1.2.3";
  };

  environment.etc.secret = {
    text = "secret";
    mode = "0400";
  };
  users.users.alice.isNormalUser = true;
}
