# Databases for programs of other machines, with backups of them all.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  networking.hostName = "db";
  networking.firewall.allowedTCPPorts = [ 5432 ];

  services.postgresql = {
    enable = true;
    package = pkgs.postgresql_15;
    enableTCPIP = true;
    ensureDatabases = [
      "nextcloud"
      "gitea"
    ];
    ensureUsers = [
      {
        name = "nextcloud";
        ensureDBOwnership = true;
      }
      {
        name = "gitea";
        ensureDBOwnership = true;
        ensureClauses.login = true;
      }
    ];
    authentication = pkgs.lib.mkOverride 10 ''
      #type database DBuser address auth-method
      local all      all            peer map=users
      host  all      all    127.0.0.1/32 scram-sha-256
    '';
    identMap = ''
      # name system database
      users  root     postgres
      users  postgres postgres
      users  /^(.*)$  \1
    '';
    settings = {
      max_connections = 50;
      shared_buffers = "64MB";
      log_connections = true;
      log_destination = lib.mkForce "stderr";
    };
    initialScript = pkgs.writeText "init.sql" ''
      CREATE ROLE reader LOGIN PASSWORD 'reader';
    '';
  };
  services.postgresqlBackup = {
    enable = true;
    databases = [ "nextcloud" ];
    startAt = "*-*-* 03:15:00";
    compression = "zstd";
  };

  services.mysql = {
    enable = true;
    package = pkgs.mariadb;
    settings.mysqld = {
      bind-address = "127.0.0.1";
      innodb_buffer_pool_size = "64M";
    };
    ensureDatabases = [ "wordpress" ];
    ensureUsers = [
      {
        name = "wordpress";
        ensurePermissions = {
          "wordpress.*" = "ALL PRIVILEGES";
        };
      }
    ];
  };
  services.mysqlBackup = {
    enable = true;
    databases = [ "wordpress" ];
    calendar = "02:00:00";
  };

  services.redis.servers.nextcloud = {
    enable = true;
    user = "nextcloud";
    port = 0;
    save = [ ];
  };

  services.restic.backups.offsite = {
    repository = "/srv/offsite";
    passwordFile = "/etc/nixos/restic-password";
    initialize = true;
    paths = [
      config.services.postgresqlBackup.location
      config.services.mysqlBackup.location
    ];
    timerConfig = {
      OnCalendar = "daily";
      RandomizedDelaySec = "5h";
      Persistent = true;
    };
    pruneOpts = [
      "--keep-daily 7"
      "--keep-weekly 5"
    ];
    backupPrepareCommand = "echo prepared >>/run/restic-log";
    backupCleanupCommand = "echo cleaned >>/run/restic-log";
  };

  systemd.tmpfiles.settings."10-restic"."/etc/nixos/restic-password".f = {
    mode = "0400";
    argument = "correct horse";
  };

  users.users.nextcloud = {
    isSystemUser = true;
    group = "nextcloud";
  };
  users.groups.nextcloud = { };
  users.users.wordpress = {
    isSystemUser = true;
    group = "wordpress";
  };
  users.groups.wordpress = { };
  environment.systemPackages = [ config.services.postgresql.package ];
  system.stateVersion = "26.05";
}
