# nginx: a web server and proxy.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.nginx;
  inherit (import ./options.nix { inherit lib config; }) virtualHost defaultListen;
  text = import ./config-text.nix { inherit lib config pkgs; };
  bool =
    default: description:
    mkOption {
      type = types.bool;
      inherit default description;
    };
  lines =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };
  upstream = types.submodule {
    options = {
      servers = mkOption {
        type = types.attrsOf (
          types.submodule {
            freeformType = types.attrsOf (types.nullOr (types.oneOf [ types.bool types.int types.str ]));
            options.backup = bool false "Whether the server is asked only when the others do not answer.";
          }
        );
        default = { };
        example = {
          "127.0.0.1:8000".weight = 2;
        };
        description = "Servers by address, with their parameters.";
      };
      extraConfig = lines "Text added to the upstream.";
    };
  };
  # Ports on which some host is served.
  ports = lib.unique (
    lib.concatMap (
      host:
      if host.listen != [ ] then
        builtins.filter (port: port != null) (map (entry: entry.port) host.listen)
      else
        lib.optional (!host.onlySSL) cfg.defaultHTTPListenPort
        ++ lib.optional (host.addSSL || host.onlySSL || host.forceSSL || host.rejectSSL) cfg.defaultSSLListenPort
    ) (builtins.attrValues cfg.virtualHosts)
  );
  acmeHosts = lib.filterAttrs (_: host: host.enableACME || host.useACMEHost != null) cfg.virtualHosts;
  nameOf = name: host: if host.serverName != null then host.serverName else name;
  certificates = lib.unique (
    lib.mapAttrsToList (name: host: if host.useACMEHost != null then host.useACMEHost else nameOf name host) acmeHosts
  );
  nullable =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };
  tlsHosts = lib.filterAttrs (_: host: host.addSSL || host.onlySSL || host.forceSSL) cfg.virtualHosts;
in
{
  options.services.nginx = {
    enable = lib.mkEnableOption "nginx, a web server and proxy";
    package = mkOption {
      type = types.package;
      default = pkgs.nginx-light;
      defaultText = lib.literalExpression "pkgs.nginx-light";
      description = "Debian's package of nginx, which says what modules it has.";
    };
    user = mkOption {
      type = types.str;
      default = "nginx";
      description = "The user as whom it works.";
    };
    group = mkOption {
      type = types.str;
      default = "nginx";
      description = "The group as which it works.";
    };
    virtualHosts = mkOption {
      type = types.attrsOf virtualHost;
      default = { };
      example = lib.literalExpression ''{ "media.example.org".locations."/".proxyPass = "http://127.0.0.1:8200"; }'';
      description = "The hosts that are served.";
    };
    upstreams = mkOption {
      type = types.attrsOf upstream;
      default = { };
      description = "Groups of servers that `proxyPass` may name.";
    };
    recommendedOptimisation = bool false "Whether files are sent efficiently.";
    recommendedTlsSettings = bool false "Whether TLS sessions are cached and kept safe.";
    recommendedGzipSettings = bool false "Whether texts are compressed.";
    recommendedProxySettings = bool false "Whether upstream servers are told the client's address and the host's name.";
    proxyTimeout = mkOption {
      type = types.str;
      default = "60s";
      description = "Timeout of upstream servers with the recommended settings.";
    };
    defaultHTTPListenPort = mkOption {
      type = types.port;
      default = 80;
      description = "Port of HTTP.";
    };
    defaultSSLListenPort = mkOption {
      type = types.port;
      default = 443;
      description = "Port of HTTPS.";
    };
    statusPage = bool false "Whether /nginx_status shows figures to this machine.";
    serverTokens = bool false "Whether the version is told.";
    clientMaxBodySize = mkOption {
      type = types.str;
      default = "10m";
      description = "Largest body of a request.";
    };
    additionalModules = mkOption {
      type = types.listOf types.package;
      default = [ ];
      example = lib.literalExpression "[ pkgs.libnginx-mod-http-geoip2 ]";
      description = "Packages with further modules of nginx.";
    };
    defaultListen = mkOption {
      type = types.listOf defaultListen;
      default = [ ];
      example = [ { addr = "10.0.0.12"; } ];
      description = "Addresses and ports of hosts that have none of their own.";
    };
    defaultListenAddresses = mkOption {
      type = types.listOf types.str;
      default = [ "0.0.0.0" ] ++ lib.optional config.networking.enableIPv6 "[::0]";
      defaultText = "all addresses, those of IPv6 when that is enabled";
      description = "Addresses of hosts that have none of their own.";
    };
    defaultMimeTypes = mkOption {
      type = types.path;
      default = "/etc/nginx/mime.types";
      description = "File of the types of files.";
    };
    typesHashMaxSize = mkOption {
      type = types.ints.positive;
      default = 4096;
      description = "Size of the table of types.";
    };
    mapHashBucketSize = nullable (types.enum [ 32 64 128 ]) "Bucket size of tables of maps.";
    mapHashMaxSize = nullable types.ints.positive "Size of tables of maps.";
    serverNamesHashMaxSize = nullable types.ints.positive "Size of the table of host names.";
    recommendedBrotliSettings = bool false "Whether texts are compressed by Brotli.";
    recommendedUwsgiSettings = bool false "Whether uwsgi servers are told the usual parameters.";
    uwsgiTimeout = mkOption {
      type = types.str;
      default = "60s";
      description = "Timeout of uwsgi servers with the recommended settings.";
    };
    proxyResolveWhileRunning = bool false "Whether names of upstream servers are resolved while nginx runs; it needs {option}`services.nginx.resolver`.";
    uwsgiResolveWhileRunning = bool false "Whether names of uwsgi servers are.";
    resolver = {
      addresses = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "127.0.0.1:53" ];
        description = "Servers that nginx itself asks for names.";
      };
      valid = mkOption {
        type = types.str;
        default = "";
        example = "30s";
        description = "How long an answer holds; by default as long as it says.";
      };
      ipv4 = bool true "Whether addresses of IPv4 are asked for.";
      ipv6 = bool true "Whether addresses of IPv6 are.";
    };
    proxyCachePath = mkOption {
      type = types.attrsOf (
        types.submodule (
          { name, ... }:
          {
            options = {
              enable = bool false "Whether the cache is there.";
              keysZoneName = mkOption {
                type = types.str;
                default = "cache";
                description = "Name of the zone, which `proxy_cache` names.";
              };
              keysZoneSize = mkOption {
                type = types.str;
                default = "10m";
                description = "Size of the zone.";
              };
              levels = mkOption {
                type = types.str;
                default = "1:2";
                description = "Levels of directories.";
              };
              useTempPath = bool false "Whether answers are written elsewhere first.";
              inactive = mkOption {
                type = types.str;
                default = "10m";
                description = "Time after which what nobody asks for goes.";
              };
              maxSize = mkOption {
                type = types.str;
                default = "1g";
                description = "Largest size.";
              };
            };
          }
        )
      );
      default = { };
      description = "Caches of answers, by their directory below /var/cache/nginx.";
    };
    serverNamesHashBucketSize = mkOption {
      type = types.nullOr types.ints.positive;
      default = null;
      description = "Bucket size of the table of host names.";
    };
    sslProtocols = mkOption {
      type = types.str;
      default = "TLSv1.2 TLSv1.3";
      description = "Versions of TLS that are spoken.";
    };
    sslCiphers = mkOption {
      type = types.nullOr (types.either types.str (types.listOf types.str));
      default = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
      description = "Ciphers of TLS 1.2.";
    };
    logError = mkOption {
      type = types.str;
      default = "stderr";
      description = "Where errors are logged, and from what level on.";
    };
    prependConfig = lines "Text before everything else, such as modules to load.";
    config = lines "Text added at the top level, before the blocks.";
    appendConfig = lines "Text added at the top level, after everything else.";
    eventsConfig = lines "Text of the block `events`.";
    commonHttpConfig = lines "Text at the beginning of the block `http`.";
    appendHttpConfig = lines "Text at the end of the block `http`.";
    httpConfig = lines "Text of the block `http` in place of everything that the other options would make.";
    streamConfig = lines "Text of the block `stream`.";
    enableReload = bool true "Has to be on: a changed configuration is always reloaded.";
    validateConfigFile = bool true "Whether nginx checks the configuration before it is started or reloaded.";
    preStart = lines "Shell text run before nginx starts.";
  };

  config = lib.mkIf cfg.enable {
    services.nginx.virtualHosts.localhost = lib.mkIf cfg.statusPage {
      serverAliases = [
        "127.0.0.1"
        "[::1]"
      ];
      locations."/nginx_status".extraConfig = ''
        stub_status on;
        access_log off;
        allow 127.0.0.1;
        allow ::1;
        deny all;
      '';
    };
    system.debian.packages = [
      cfg.package.deb
    ]
    ++ map (package: package.deb) cfg.additionalModules
    ++ lib.optional (cfg.streamConfig != "") "libnginx-mod-stream"
    ++ lib.optionals cfg.recommendedBrotliSettings [ "libnginx-mod-http-brotli-filter" "libnginx-mod-http-brotli-static" ];
    environment.etc."nginx/nginx.conf".text = text;
    # Certificates of hosts that ask for one.
    security.acme.certs = lib.mkMerge (
      lib.mapAttrsToList (
        name: host:
        let
          id = nameOf name host;
        in
        lib.optionalAttrs host.enableACME {
          ${id} = {
            group = lib.mkDefault cfg.group;
            webroot = lib.mkIf (host.acmeRoot != null) (lib.mkOverride 1400 host.acmeRoot);
            extraDomainNames = host.serverAliases;
            reloadServices = [ "nginx.service" ];
          };
        }
        // lib.optionalAttrs (host.useACMEHost != null) { ${host.useACMEHost}.reloadServices = [ "nginx.service" ]; }
      ) acmeHosts
    );
    users.users = lib.mkIf (cfg.user == "nginx") {
      nginx = {
        group = cfg.group;
        isSystemUser = true;
        description = "nginx";
      };
    };
    users.groups = lib.mkIf (cfg.group == "nginx") { nginx = { }; };
    system.healthCheck.units = [ "nginx.service" ];
    networking.claimedPorts = map (port: {
      inherit port;
      by = "services.nginx.virtualHosts";
    }) ports;
    systemd.tmpfiles.rules = [ "d /var/log/nginx 0750 ${cfg.user} ${cfg.group} -" ];
    services.logrotate.settings.nginx = lib.mapAttrs (_: lib.mkDefault) {
      files = [ "/var/log/nginx/*.log" ];
      frequency = "weekly";
      su = "${cfg.user} ${cfg.group}";
      rotate = 26;
      compress = true;
      delaycompress = true;
      postrotate = "[ ! -f /run/nginx/nginx.pid ] || kill -USR1 $(cat /run/nginx/nginx.pid)";
    };
    systemd.services.nginx = {
      description = "Web server";
      documentation = [ "man:nginx(8)" ];
      wantedBy = [ "multi-user.target" ];
      wants = map (name: "acme-${name}.service") certificates;
      after = [ "network.target" ] ++ map (name: "acme-${name}.service") certificates;
      before = map (name: "acme-order-renew-${name}.service") certificates;
      stopIfChanged = false;
      # The file has the same place in each generation, so that a new text is a reload.
      reloadTriggers = [ text ];
      startLimitIntervalSec = 60;
      preStart = cfg.preStart;
      # nginx replaces its workers after HUP, and only logs what keeps it from that: the reload is over
      # when no worker of before accepts connections, so that a switch ends with the new hosts answering.
      reload = ''
        ${lib.optionalString cfg.validateConfigFile "/usr/sbin/nginx -t -q -c /etc/nginx/nginx.conf"}
        # Those of the given processes that are workers of this nginx and not shutting down.
        accepting() {
          local process title
          for process; do
            title=
            read -r -d "" title <"$process/cmdline" || true
            if [ "$title" = "nginx: worker process" ] && grep -q "^PPid:[[:space:]]*$MAINPID\$" "$process/status"; then
              echo "$process"
            fi
          done 2>/dev/null
        }
        before=$(accepting /proc/[0-9]*)
        kill -HUP "$MAINPID"
        for _ in {1..600}; do
          if [ -z "$(accepting $before)" ]; then exit 0; fi
          sleep 0.05
        done
        echo "nginx still runs with its previous configuration; its log tells why" >&2
        exit 1
      '';
      serviceConfig = {
        ExecStartPre = lib.optional cfg.validateConfigFile "/usr/sbin/nginx -t -q -c /etc/nginx/nginx.conf";
        ExecStart = "/usr/sbin/nginx -c /etc/nginx/nginx.conf";
        Restart = "always";
        RestartSec = "10s";
        User = cfg.user;
        Group = cfg.group;
        RuntimeDirectory = "nginx";
        RuntimeDirectoryMode = "0750";
        CacheDirectory = "nginx";
        CacheDirectoryMode = "0750";
        LogsDirectory = "nginx";
        LogsDirectoryMode = "0750";
        # Debian's nginx keeps bodies and answers in transit there.
        StateDirectory = "nginx";
        StateDirectoryMode = "0750";
        ProcSubset = "pid";
        ProtectProc = "invisible";
        UMask = "0027";
        AmbientCapabilities = [ "CAP_NET_BIND_SERVICE" "CAP_SYS_RESOURCE" ];
        CapabilityBoundingSet = [ "CAP_NET_BIND_SERVICE" "CAP_SYS_RESOURCE" ];
        NoNewPrivileges = true;
        ProtectSystem = "strict";
        ProtectHome = lib.mkDefault true;
        PrivateTmp = true;
        PrivateDevices = true;
        ProtectHostname = true;
        ProtectKernelTunables = true;
        ProtectKernelModules = true;
        ProtectKernelLogs = true;
        ProtectControlGroups = true;
        RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" ];
        LockPersonality = true;
        RestrictRealtime = true;
        RestrictSUIDSGID = true;
      };
    };
    assertions =
      lib.mapAttrsToList (name: host: {
        assertion = host.enableACME || host.useACMEHost != null || (host.sslCertificate != null && host.sslCertificateKey != null);
        message = "services.nginx.virtualHosts.\"${name}\" serves TLS, but 'sslCertificate' and 'sslCertificateKey' are not both set";
      }) tlsHosts
      ++ lib.mapAttrsToList (name: host: {
        assertion = host.sslCertificateKey == null || !(builtins.isPath host.sslCertificateKey || lib.hasPrefix builtins.storeDir host.sslCertificateKey);
        message = "services.nginx.virtualHosts.\"${name}\".sslCertificateKey lies in the store, where everyone can read it";
      }) tlsHosts
      ++ lib.mapAttrsToList (name: host: {
        assertion = !(host.enableACME && host.useACMEHost != null);
        message = "services.nginx.virtualHosts.\"${name}\": only one of enableACME and useACMEHost may be set";
      }) cfg.virtualHosts
      ++ [
        {
          assertion = !cfg.proxyResolveWhileRunning && !cfg.uwsgiResolveWhileRunning || cfg.resolver.addresses != [ ];
          message = "services.nginx.proxyResolveWhileRunning and uwsgiResolveWhileRunning need 'services.nginx.resolver.addresses'";
        }
      ]
      ++ lib.mapAttrsToList (name: host: {
        assertion = lib.count (on: on) [ host.addSSL host.onlySSL host.forceSSL host.rejectSSL ] <= 1;
        message = "services.nginx.virtualHosts.\"${name}\": only one of addSSL, onlySSL, forceSSL and rejectSSL may be set";
      }) cfg.virtualHosts;
  };
}
