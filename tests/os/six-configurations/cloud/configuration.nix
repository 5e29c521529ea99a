# A site in PHP as the larger ones are set up: a pool of its own, MariaDB by the socket, Redis, rules of nginx, a job by the clock.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  home = "/var/lib/cloud";
  php = pkgs.php.buildEnv {
    extensions =
      { enabled, all }:
      enabled
      ++ (with all; [
        redis
        apcu
        gd
      ]);
    extraConfig = ''
      memory_limit = 512M
      apc.enable_cli = 1
    '';
  };
in
{
  networking.hostName = "cloud";
  networking.firewall.allowedTCPPorts = [
    80
    443
  ];
  time.timeZone = "Europe/Berlin";
  i18n.defaultLocale = "en_US.UTF-8";

  users.users.cloud = {
    isSystemUser = true;
    group = "cloud";
    home = home;
    createHome = true;
    homeMode = "750";
  };
  users.groups.cloud.members = [ config.services.nginx.user ];

  services.mysql = {
    enable = true;
    package = pkgs.mariadb;
    ensureDatabases = [ "cloud" ];
    ensureUsers = [
      {
        name = "cloud";
        ensurePermissions."cloud.*" = "ALL PRIVILEGES";
      }
    ];
    settings.mysqld = {
      bind-address = "127.0.0.1";
      innodb_buffer_pool_size = "64M";
      transaction-isolation = "READ-COMMITTED";
      skip_name_resolve = true;
    };
  };

  services.redis.servers.cloud = {
    enable = true;
    port = 0;
    user = "cloud";
  };

  services.phpfpm.pools.cloud = {
    user = "cloud";
    group = "cloud";
    phpPackage = php;
    phpEnv = {
      CLOUD_HOME = home;
      PATH = "/run/wrappers/bin:/run/current-system/sw/bin:/usr/bin:/bin";
    };
    settings = {
      "listen.owner" = config.services.nginx.user;
      "listen.group" = config.services.nginx.group;
      "pm" = "dynamic";
      "pm.max_children" = 8;
      "pm.start_servers" = 2;
      "pm.min_spare_servers" = 1;
      "pm.max_spare_servers" = 3;
      "pm.max_requests" = 500;
      "php_admin_value[error_log]" = "stderr";
      "php_admin_flag[log_errors]" = true;
      "catch_workers_output" = true;
    };
  };

  services.nginx = {
    enable = true;
    recommendedGzipSettings = true;
    recommendedOptimisation = true;
    recommendedProxySettings = true;
    recommendedTlsSettings = true;
    clientMaxBodySize = "512m";
    upstreams.php.servers."unix:${config.services.phpfpm.pools.cloud.socket}" = { };
    appendHttpConfig = ''
      map $sent_http_content_type $lifetime {
        default off;
        text/css max;
      }
    '';
    virtualHosts."cloud.example.org" = {
      default = true;
      root = "${./app}";
      extraConfig = ''
        index index.php;
        add_header X-Content-Type-Options nosniff always;
        add_header Referrer-Policy no-referrer always;
        expires $lifetime;
      '';
      locations = {
        "= /robots.txt" = {
          priority = 100;
          return = ''200 "Disallow: /\n"'';
          extraConfig = "access_log off;";
        };
        "^~ /.well-known" = {
          priority = 210;
          extraConfig = ''
            location = /.well-known/carddav { return 301 /remote.php/dav; }
            return 301 /index.php$uri;
          '';
        };
        "~ ^/(?:build|tests|config|lib|data)(?:$|/)" = {
          priority = 450;
          return = "404";
        };
        "~ \\.php(?:$|/)" = {
          priority = 500;
          extraConfig = ''
            fastcgi_split_path_info ^(.+?\.php)(\\/.*|)$;
            set $path_info $fastcgi_path_info;
            include ${config.services.nginx.package}/conf/fastcgi.conf;
            fastcgi_param PATH_INFO $path_info;
            fastcgi_pass php;
            fastcgi_intercept_errors on;
            fastcgi_read_timeout 120s;
          '';
        };
        "/" = {
          priority = 900;
          tryFiles = "$uri $uri/ /index.php$uri$is_args$args";
        };
      };
    };
  };

  systemd.services.cloud-cron = {
    after = [ "phpfpm-cloud.service" ];
    environment.CLOUD_HOME = home;
    serviceConfig = {
      Type = "oneshot";
      User = "cloud";
      ExecStart = "${lib.getExe php} -f ${./app}/cron.php";
    };
  };
  systemd.timers.cloud-cron = {
    wantedBy = [ "timers.target" ];
    timerConfig = {
      OnBootSec = "5m";
      OnUnitActiveSec = "5m";
      Unit = "cloud-cron.service";
    };
  };

  services.mysqlBackup = {
    enable = true;
    databases = [ "cloud" ];
    singleTransaction = true;
  };
  services.logrotate.settings.cloud = {
    files = "${home}/*.log";
    frequency = "daily";
    rotate = 3;
    su = "cloud cloud";
  };
  system.stateVersion = "25.05";
}
