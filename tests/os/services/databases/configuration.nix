# MariaDB, Caddy, Borg and fail2ban.
{ modulesPath, pkgs, ... }:
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];
  boot.isContainer = true;
  networking.hostName = "base";
  systemd.network.wait-online.enable = false;
  environment.systemPackages = [ pkgs.curl ];

  services.mysql = {
    enable = true;
    package = pkgs.mariadb;
    ensureDatabases = [ "shop" ];
    ensureUsers = [
      {
        name = "alice";
        ensurePermissions."shop.*" = "ALL PRIVILEGES";
      }
    ];
    initialDatabases = [
      {
        name = "old";
        schema = pkgs.writeText "old.sql" "CREATE TABLE t (n INT); INSERT INTO t VALUES (7);";
      }
    ];
  };
  services.caddy = {
    enable = true;
    globalConfig = "auto_https off";
    virtualHosts."http://site.test".extraConfig = ''respond "from caddy"'';
  };
  services.borgbackup.jobs.home = {
    paths = "/home";
    repo = "/srv/borg";
    encryption = {
      mode = "repokey";
      passCommand = "cat /etc/secret";
    };
    exclude = [ "*.tmp" ];
    prune.keep.daily = 3;
    postCreate = "echo $archiveName >/srv/borg/last-archive";
  };
  services.openssh.enable = true;
  services.fail2ban = {
    enable = true;
    maxretry = 2;
    bantime-increment.enable = true;
  };

  environment.etc.secret = {
    text = "secret";
    mode = "0400";
  };
  users.users.alice.isNormalUser = true;
}
