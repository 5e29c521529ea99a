# A small office: mail, a wiki in PHP with its database, files by rsync, messages of devices, names and shares of requests.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  boot.isContainer = true;
  systemd.network.wait-online.enable = false;
  networking.hostName = "office";
  networking.domain = "example.test";
  networking.hosts."127.0.0.1" = [ "provider.test" ];

  users.users.alice = {
    isNormalUser = true;
    uid = 1000;
  };
  users.users.bob.isNormalUser = true;

  services.postfix = {
    enable = true;
    enableSubmission = true;
    rootAlias = "alice";
    extraAliases = ''
      team: alice, bob
    '';
    virtual = ''
      sales@example.test bob
    '';
    transport = ''
      far.test smtp:[127.0.0.1]:2525
    '';
    mapFiles.senders = pkgs.writeText "senders" "spam@bad.test REJECT\n";
    headerChecks = [
      {
        pattern = "/^Subject:.*lottery/";
        action = "REJECT no lotteries";
      }
    ];
    submissionOptions.smtpd_client_restrictions = "permit_mynetworks,reject";
    submissionOptions.smtpd_tls_security_level = "none";
    settings.main = {
      myhostname = "office.example.test";
      mydestination = [
        "$myhostname"
        "localhost"
        "example.test"
      ];
      mynetworks = [ "127.0.0.0/8" ];
      smtpd_sender_restrictions = [ "check_sender_access hash:/etc/postfix/senders" ];
      message_size_limit = 1000000;
    };
  };

  services.postgresql = {
    enable = true;
    ensureDatabases = [ "wiki" ];
    ensureUsers = [
      {
        name = "wiki";
        ensureDBOwnership = true;
      }
    ];
  };
  services.redis.servers.wiki = {
    enable = true;
    user = "wiki";
  };
  users.users.wiki = {
    isSystemUser = true;
    group = "wiki";
  };
  users.groups.wiki = { };
  services.phpfpm = {
    phpOptions = ''
      date.timezone = "Europe/Zurich"
    '';
    pools.wiki = {
      user = "wiki";
      group = "wiki";
      phpPackage = pkgs.php.withExtensions ({ enabled, all }: enabled ++ [
        all.pdo_pgsql
        all.redis
        all.mbstring
      ]);
      phpOptions = ''
        upload_max_filesize = 20M
      '';
      phpEnv.PLACE = "office";
      settings = {
        "listen.owner" = config.services.nginx.user;
        "listen.group" = config.services.nginx.group;
        pm = "dynamic";
        "pm.max_children" = 4;
        "pm.start_servers" = 1;
        "pm.min_spare_servers" = 1;
        "pm.max_spare_servers" = 2;
        catch_workers_output = true;
      };
    };
  };
  services.nginx = {
    enable = true;
    virtualHosts.localhost = {
      root = ./www;
      locations."/".tryFiles = "$uri /index.php?$query_string";
      locations."~ \\.php$".extraConfig = ''
        fastcgi_pass unix:${config.services.phpfpm.pools.wiki.socket};
        include ${config.services.nginx.package}/conf/fastcgi.conf;
      '';
    };
  };
  systemd.services.wiki-jobs = {
    serviceConfig.Type = "oneshot";
    script = "${lib.getExe (pkgs.php.withExtensions ({ all, ... }: [ all.mbstring ]))} -r 'echo mb_strtoupper(\"ä\"), PHP_EOL;' >/run/wiki-jobs";
  };

  services.haproxy = {
    enable = true;
    config = ''
      defaults
        mode http
        timeout connect 5s
        timeout client 5s
        timeout server 5s
      frontend all
        bind 127.0.0.1:8090
        default_backend pages
      backend pages
        http-request set-header Host localhost
        server one 127.0.0.1:80 check
    '';
  };
  services.memcached.enable = true;
  services.rsyncd = {
    enable = true;
    settings = {
      globalSection."use chroot" = false;
      sections.public = {
        path = "/srv/public";
        "read only" = false;
        uid = "alice";
        gid = "users";
      };
    };
  };
  services.mosquitto = {
    enable = true;
    listeners = [
      {
        address = "127.0.0.1";
        users.lamp = {
          acl = [ "readwrite home/#" ];
          password = "light";
        };
        users.guest = {
          acl = [ "read home/#" ];
          passwordFile = "/etc/guest-password";
        };
      }
    ];
  };
  environment.etc.guest-password = {
    text = "secret";
    mode = "0400";
  };
  services.transmission = {
    enable = true;
    settings.download-dir = "/srv/torrents";
    credentialsFile = "/etc/transmission.json";
  };
  environment.etc."transmission.json" = {
    text = builtins.toJSON {
      rpc-authentication-required = true;
      rpc-username = "alice";
      rpc-password = "wonderland";
    };
    mode = "0400";
  };
  services.ddclient = {
    enable = true;
    ssl = false;
    protocol = "dyndns2";
    server = "provider.test:8053";
    username = "office";
    passwordFile = "/etc/names-password";
    domains = [ "office.dyn.test" ];
    use = "cmd, cmd='echo 203.0.113.7'";
    usev4 = "";
    usev6 = "";
  };
  # A text whose last line looks like one of the lists that files are made of.
  environment.etc.notes.text = "F 1 644 notes\nL /dev/null notes\n";
  environment.etc.names-password = {
    text = "p&ss|word";
    mode = "0400";
  };
  services.inadyn = {
    enable = true;
    interval = "yearly";
    settings = {
      allow-ipv6 = false;
      custom.own = {
        ssl = false;
        username = "office";
        include = "/run/inadyn-secret";
        hostname = "home.dyn.test";
        ddns-server = "provider.test:8053";
        ddns-path = "/set?name=%h&address=%i";
        checkip-command = "/usr/bin/echo 203.0.113.8";
      };
    };
  };
  systemd.tmpfiles.rules = [
    "d /srv/public 0755 alice users - -"
    "f /run/inadyn-secret 0400 inadyn inadyn - password = secret"
  ];
  # The provider of names, which writes down what it is told.
  systemd.services.provider = {
    wantedBy = [ "multi-user.target" ];
    before = [ "ddclient.service" ];
    serviceConfig = {
      Type = "notify";
      NotifyAccess = "all";
      ExecStart = "/usr/bin/python3 ${./provider.py}";
    };
  };

  environment.systemPackages = with pkgs; [
    curl
    python3
    mosquitto-clients
    transmission-cli
    netcat-openbsd
  ];
}
