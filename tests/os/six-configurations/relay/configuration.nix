# A machine that passes on the mail of others, keeps copies of itself and shuts out who tries passwords.
{ pkgs, ... }:
{
  networking.hostName = "relay";
  networking.domain = "example.test";
  networking.firewall.allowedTCPPorts = [
    25
    587
  ];

  services.postfix = {
    enable = true;
    hostname = "relay.example.test";
    origin = "example.test";
    destination = [
      "localhost"
      "relay.example.test"
      "example.test"
    ];
    networks = [
      "127.0.0.0/8"
      "10.0.0.0/8"
    ];
    rootAlias = "ops@example.org";
    postmasterAlias = "root";
    canonical = ''
      @relay.example.test @example.test
    '';
    mapFiles.sasl_passwd = "/etc/postfix-secrets";
    settings.main = {
      relayhost = [ "[127.0.0.1]:2525" ];
      smtp_sasl_auth_enable = true;
      smtp_sasl_password_maps = "hash:/etc/postfix/sasl_passwd";
      smtp_sasl_security_options = "noanonymous";
      smtp_sasl_mechanism_filter = "plain";
      smtp_tls_security_level = "may";
      message_size_limit = 20480000;
    };
  };
  environment.etc."postfix-secrets" = {
    mode = "0600";
    text = "[127.0.0.1]:2525 user:word\n";
  };

  services.cron = {
    enable = true;
    mailto = "root";
    systemCronJobs = [
      "* * * * *  root  echo from cron"
      "0 3 * * 0  root  /run/current-system/sw/bin/true"
    ];
  };

  services.restic.backups.nightly = {
    initialize = true;
    repository = "/srv/restic";
    passwordFile = "/etc/restic-password";
    paths = [
      "/home"
      "/var/lib"
    ];
    exclude = [
      "/home/*/.cache"
      "*.tmp"
    ];
    extraBackupArgs = [ "--exclude-caches" ];
    pruneOpts = [
      "--keep-daily 7"
      "--keep-weekly 4"
    ];
    checkOpts = [ "--with-cache" ];
    runCheck = true;
    timerConfig = {
      OnCalendar = "00:05";
      RandomizedDelaySec = "5h";
      Persistent = true;
    };
    backupPrepareCommand = "echo prepared >/var/lib/prepared";
    backupCleanupCommand = "rm -f /var/lib/prepared";
  };
  environment.etc."restic-password".text = "not a secret\n";

  services.fail2ban = {
    enable = true;
    maxretry = 2;
    bantime = "24h";
    bantime-increment = {
      enable = true;
      multipliers = "1 2 4 8 16 32 64";
      maxtime = "168h";
      overalljails = true;
    };
    ignoreIP = [ "127.0.0.1/8" ];
    jails = {
      sshd.settings = {
        mode = "aggressive";
        findtime = 600;
      };
      postfix-sasl = {
        settings = {
          filter = "postfix[mode=auth]";
          backend = "systemd";
          port = "smtp,submission";
        };
      };
      web = {
        filter.Definition.failregex = ''^.* refused <HOST>$'';
        settings = {
          backend = "auto";
          logpath = "/var/log/web.log";
          port = "80,443";
          action = "%(action_)s";
        };
      };
    };
  };
  systemd.tmpfiles.rules = [ "f /var/log/web.log 0644 root root -" ];

  services.openssh = {
    enable = true;
    settings = {
      PasswordAuthentication = false;
      PermitRootLogin = "prohibit-password";
      MaxAuthTries = 3;
      LogLevel = "VERBOSE";
      AllowUsers = [ "root" "ops" ];
    };
  };
  users.users.ops.isNormalUser = true;

  systemd.services.broken = {
    onFailure = [ "tell@%n.service" ];
    serviceConfig.Type = "oneshot";
    script = "exit 3";
  };
  systemd.services."tell@" = {
    description = "Tells that %i failed";
    scriptArgs = "%i";
    serviceConfig.Type = "oneshot";
    path = [ pkgs.postfix ];
    script = ''
      printf 'Subject: %s failed\n\nSee the journal.\n' "$1" | sendmail root
    '';
  };
  services.journald.extraConfig = ''
    SystemMaxUse=200M
    MaxRetentionSec=1month
  '';
  services.logrotate = {
    enable = true;
    settings."/var/log/web.log" = {
      frequency = "weekly";
      rotate = 4;
      compress = true;
      missingok = true;
      postrotate = "true";
    };
  };
  system.autoUpgrade = {
    enable = true;
    dates = "04:40";
    randomizedDelaySec = "45min";
    allowReboot = false;
  };
  system.stateVersion = "25.05";
}
