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
  inherit (import ./options.nix { inherit lib config; }) virtualHost;
  text = import ./config-text.nix { inherit lib config; };
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
        type = types.attrsOf (types.attrsOf (types.nullOr (types.oneOf [ types.bool types.int types.str ])));
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
      type = types.nullOr types.str;
      default = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
      description = "Ciphers of TLS 1.2.";
    };
    logError = mkOption {
      type = types.str;
      default = "stderr";
      description = "Where errors are logged, and from what level on.";
    };
    config = lines "Text added at the top level, before everything else.";
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
    system.debian.packages = [ cfg.package.deb ];
    environment.etc."nginx/nginx.conf".text = text;
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
    systemd.services.nginx = {
      description = "Web server";
      documentation = [ "man:nginx(8)" ];
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
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
        assertion = host.sslCertificate != null && host.sslCertificateKey != null;
        message = "services.nginx.virtualHosts.\"${name}\" serves TLS, but 'sslCertificate' and 'sslCertificateKey' are not both set";
      }) tlsHosts
      ++ lib.mapAttrsToList (name: host: {
        assertion = host.sslCertificateKey == null || !(builtins.isPath host.sslCertificateKey || lib.hasPrefix builtins.storeDir host.sslCertificateKey);
        message = "services.nginx.virtualHosts.\"${name}\".sslCertificateKey lies in the store, where everyone can read it";
      }) tlsHosts
      ++ lib.mapAttrsToList (name: host: {
        assertion = lib.count (on: on) [ host.addSSL host.onlySSL host.forceSSL host.rejectSSL ] <= 1;
        message = "services.nginx.virtualHosts.\"${name}\": only one of addSSL, onlySSL, forceSSL and rejectSSL may be set";
      }) cfg.virtualHosts;
  };
}
