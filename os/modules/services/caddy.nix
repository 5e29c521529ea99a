# Caddy: a web server that gets its certificates itself.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.caddy;
  inherit (forms) json;
  indent = text: lib.concatMapStrings (part: if part == "" then "" else "  ${part}\n") (lib.splitString "\n" text);
  block = head: body: "${head}{\n${indent body}}\n";
  virtualHost = types.submodule (
    { name, config, ... }:
    {
      options = {
        hostName = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          description = "Name of the host.";
        };
        serverAliases = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "www.example.org" ];
          description = "Further names.";
        };
        listenAddresses = forms.strings "Addresses on which it is served; all when empty.";
        useACMEHost = forms.optional types.str "Certificate of {option}`security.acme.certs` that is used.";
        logFormat = mkOption {
          type = types.nullOr types.lines;
          default = "output file ${cfg.logDir}/access-${lib.replaceStrings [ "/" " " ] [ "_" "_" ] config.hostName}.log";
          defaultText = "a file of the host's name in the directory of logs";
          description = "Settings of the log of accesses; null is none.";
        };
        extraConfig = forms.lines "What is served: directives of the Caddyfile.";
      };
    }
  );
  certs = builtins.filter (name: name != null) (map (host: host.useACMEHost) (builtins.attrValues cfg.virtualHosts));
  host =
    entry:
    block "${lib.concatStringsSep ", " ([ entry.hostName ] ++ entry.serverAliases)} " (
      lib.optionalString (entry.listenAddresses != [ ]) "bind ${lib.concatStringsSep " " entry.listenAddresses}\n"
      + lib.optionalString (entry.useACMEHost != null) (
        let
          inherit (config.security.acme.certs.${entry.useACMEHost}) directory;
        in
        "tls ${directory}/cert.pem ${directory}/key.pem\n"
      )
      + lib.optionalString (entry.logFormat != null) (block "log " entry.logFormat)
      + entry.extraConfig
    );
  caddyfile = block "" cfg.globalConfig + cfg.extraConfig + "\n" + lib.concatMapStrings host (builtins.attrValues cfg.virtualHosts);
  generated =
    if cfg.settings != { } then pkgs.writeText "caddy.json" (builtins.toJSON cfg.settings) else pkgs.writeText "Caddyfile" caddyfile;
  run = "--config /etc/caddy/caddy_config${lib.optionalString (cfg.adapter != null) " --adapter ${cfg.adapter}"}";
  ports = lib.unique (builtins.filter (port: port != null) [ cfg.httpPort cfg.httpsPort ]);
in
{
  options.services.caddy = {
    enable = lib.mkEnableOption "Caddy, a web server that gets its certificates itself";
    package = forms.package "caddy";
    user = forms.str "caddy" "The account as which it runs.";
    group = forms.str "caddy" "The group as which it runs.";
    dataDir = forms.path "/var/lib/caddy" "Directory of certificates and the like.";
    logDir = forms.path "/var/log/caddy" "Directory of the logs of accesses.";
    logFormat = forms.of types.lines "level ERROR" "Settings of the server's own log.";
    configFile = mkOption {
      type = types.path;
      default = generated;
      defaultText = "a Caddyfile made of the other options";
      description = "The configuration.";
    };
    adapter = mkOption {
      type = types.nullOr types.str;
      default = if cfg.settings != { } && cfg.configFile == generated then null else "caddyfile";
      defaultText = "caddyfile, or null with `settings`";
      description = "What the configuration is read by; null is for JSON.";
    };
    resume = forms.bool false "Whether the configuration that ran last goes before.";
    globalConfig = forms.lines "Text of the global options of the Caddyfile.";
    extraConfig = forms.lines "Text added to the Caddyfile.";
    virtualHosts = mkOption {
      type = types.attrsOf virtualHost;
      default = { };
      example = lib.literalExpression ''{ "example.org".extraConfig = "reverse_proxy 127.0.0.1:8096"; }'';
      description = "Hosts by their name.";
    };
    acmeCA = forms.optional types.str "Address of the authority that signs certificates.";
    email = forms.optional types.str "Address of the owner, for the authority.";
    httpPort = forms.of (types.nullOr types.port) 80 "Port of HTTP.";
    httpsPort = forms.of (types.nullOr types.port) 443 "Port of HTTPS.";
    enableReload = forms.bool true "Whether a changed configuration is reloaded instead of the server being restarted.";
    settings = forms.of (types.attrsOf json) { } "The whole configuration as Caddy's JSON, in place of the Caddyfile.";
    environmentFile = forms.optional types.path "File with variables of the server, such as secrets.";
    openFirewall = forms.bool false "Whether the firewall lets connections to both ports in.";
  };

  config = lib.mkIf cfg.enable {
    services.caddy.globalConfig =
      lib.optionalString (cfg.email != null) "email ${cfg.email}\n"
      + lib.optionalString (cfg.acmeCA != null) "acme_ca ${cfg.acmeCA}\n"
      + lib.optionalString (cfg.httpPort != null && cfg.httpPort != 80) "http_port ${toString cfg.httpPort}\n"
      + lib.optionalString (cfg.httpsPort != null && cfg.httpsPort != 443) "https_port ${toString cfg.httpsPort}\n"
      + block "log " cfg.logFormat;
    system.debian.packages = [ cfg.package.deb ];
    environment.etc."caddy/caddy_config".source = cfg.configFile;
    boot.kernel.sysctl = {
      "net.core.rmem_max" = lib.mkDefault 2500000;
      "net.core.wmem_max" = lib.mkDefault 2500000;
    };
    users.users = lib.mkIf (cfg.user == "caddy") {
      caddy = {
        inherit (cfg) group;
        isSystemUser = true;
        home = cfg.dataDir;
        description = "Caddy";
      };
    };
    users.groups = lib.mkIf (cfg.group == "caddy") { caddy = { }; };
    networking.claimedPorts = map (port: {
      inherit port;
      by = "services.caddy";
    }) ports;
    networking.firewall = lib.mkIf cfg.openFirewall {
      allowedTCPPorts = ports;
      allowedUDPPorts = lib.optional (cfg.httpsPort != null) cfg.httpsPort;
    };
    # The package's second unit, which takes its configuration from an interface.
    systemd.services.caddy-api.enable = false;
    systemd.services.caddy = {
      description = "Caddy web server";
      documentation = [ "https://caddyserver.com/docs/" ];
      wantedBy = [ "multi-user.target" ];
      wants = map (name: "acme-${name}.service") certs;
      after = [ "network.target" "network-online.target" ] ++ map (name: "acme-${name}.service") certs;
      startLimitIntervalSec = 14400;
      startLimitBurst = 10;
      reloadTriggers = lib.optional cfg.enableReload cfg.configFile;
      restartTriggers = lib.optional (!cfg.enableReload) cfg.configFile;
      environment = {
        XDG_DATA_HOME = dirOf (toString cfg.dataDir);
        XDG_CONFIG_HOME = "${cfg.dataDir}/config";
        HOME = toString cfg.dataDir;
      };
      serviceConfig = forms.hardening // {
        Type = "notify";
        User = cfg.user;
        Group = cfg.group;
        ExecStartPre = "/usr/bin/caddy validate ${run}";
        ExecStart = "/usr/bin/caddy run ${run}${lib.optionalString cfg.resume " --resume"}";
        ExecReload = "/usr/bin/caddy reload ${run} --force";
        EnvironmentFile = lib.mkIf (cfg.environmentFile != null) (toString cfg.environmentFile);
        TimeoutStopSec = "5s";
        LimitNOFILE = 1048576;
        Restart = "on-failure";
        RestartPreventExitStatus = 1;
        RestartSec = "5s";
        ReadWritePaths = [ cfg.dataDir cfg.logDir ];
        StateDirectory = lib.mkIf (cfg.dataDir == "/var/lib/caddy") "caddy";
        LogsDirectory = lib.mkIf (cfg.logDir == "/var/log/caddy") "caddy";
        AmbientCapabilities = "CAP_NET_BIND_SERVICE";
        CapabilityBoundingSet = "CAP_NET_BIND_SERVICE";
      };
    };
  };
}
