# Exporters of Prometheus besides that of the machine's own figures (prometheus.nix): each shows the figures of a service.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.prometheus.exporters;
  telemetryPath = forms.str "/metrics" "Path of the figures.";
  environmentFile = forms.optional types.path "File with variables of the exporter's environment, such as secrets.";

  # What each watches, its port, its options besides those of all, the arguments made of them, and what its unit has besides.
  exporters = {
    blackbox = {
      what = "addresses that it asks";
      port = 9115;
      options = {
        configFile = forms.required types.path "File of the kinds of questions.";
        enableConfigCheck = forms.bool true "Whether the file is checked before the exporter starts.";
      };
      arguments = entry: [ "--config.file=${entry.configFile}" ];
      unit = entry: {
        preStart = lib.optionalString entry.enableConfigCheck "/usr/bin/prometheus-blackbox-exporter --config.check --config.file=${lib.escapeShellArg "${entry.configFile}"}";
        reload = "kill -HUP $MAINPID";
        serviceConfig = {
          AmbientCapabilities = [ "CAP_NET_RAW" ];
          CapabilityBoundingSet = [ "CAP_NET_RAW" ];
        };
      };
    };
    nginx = {
      what = "nginx; its page is {option}`services.nginx.statusPage`";
      port = 9113;
      options = {
        inherit telemetryPath;
        scrapeUri = forms.str "http://localhost/nginx_status" "Address of nginx's page.";
        sslVerify = forms.bool true "Whether certificates are checked.";
        constLabels = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "host=web" ];
          description = "Labels of all figures.";
        };
      };
      arguments = entry: [
        "--nginx.scrape-uri=${entry.scrapeUri}"
        "--nginx.ssl-verify=${lib.boolToString entry.sslVerify}"
        "--web.telemetry-path=${entry.telemetryPath}"
      ];
      unit = entry: {
        environment.CONST_LABELS = lib.concatStringsSep "," entry.constLabels;
        after = lib.optional config.services.nginx.enable "nginx.service";
        requires = lib.optional config.services.nginx.enable "nginx.service";
      };
    };
    postgres = {
      what = "PostgreSQL";
      port = 9187;
      options = {
        inherit telemetryPath environmentFile;
        dataSourceName = forms.str "user=postgres database=postgres host=/run/postgresql sslmode=disable" "The server, as an address or as words of the form NAME=VALUE.";
        runAsLocalSuperUser = forms.bool false "Whether it runs as the account `postgres`.";
      };
      arguments = entry: [ "--web.telemetry-path=${entry.telemetryPath}" ];
      unit = entry: {
        environment.DATA_SOURCE_NAME = entry.dataSourceName;
        after = lib.optional config.services.postgresql.enable "postgresql.service";
        serviceConfig = {
          EnvironmentFile = lib.mkIf (entry.environmentFile != null) (toString entry.environmentFile);
          User = lib.mkIf entry.runAsLocalSuperUser (lib.mkForce "postgres");
        };
      };
    };
    redis = {
      what = "Redis";
      port = 9121;
    };
    mysqld = {
      what = "MariaDB";
      port = 9104;
      options = {
        inherit telemetryPath;
        runAsLocalSuperUser = forms.bool false "Whether it runs as the account of the database.";
        configFile = forms.optional types.path "File with the section `[client]` that says how it logs in, by a password. Null uses the socket, by the account as which it runs.";
      };
      arguments = entry: [
        "--web.telemetry-path=${entry.telemetryPath}"
      ] ++ lib.optional (entry.configFile != null) "--config.my-cnf=${toString entry.configFile}";
      unit = entry: {
        environment = lib.mkIf (entry.configFile == null) {
          DATA_SOURCE_NAME = "${if entry.runAsLocalSuperUser then "mysql" else entry.user}@unix(/run/mysqld/mysqld.sock)/";
        };
        serviceConfig.User = lib.mkIf entry.runAsLocalSuperUser (lib.mkForce "mysql");
      };
    };
  };
  enabled = lib.filterAttrs (name: _: cfg.${name}.enable) exporters;

  common = name: exporter: {
    enable = lib.mkEnableOption "the exporter of figures of ${exporter.what}";
    port = forms.port exporter.port "Port.";
    listenAddress = forms.str "0.0.0.0" "Address.";
    extraFlags = forms.strings "Further arguments.";
    openFirewall = forms.bool false "Whether the firewall lets connections to the port in.";
    firewallRules = mkOption {
      type = types.nullOr types.lines;
      default = null;
      example = ''iifname "eth0" tcp dport ${toString exporter.port} accept'';
      description = "Rules of nftables in place of that for the port.";
    };
    user = forms.str "${name}-exporter" "The account as which it runs.";
    group = forms.str "${name}-exporter" "The group as which it runs.";
  };
  service =
    name: exporter:
    let
      entry = cfg.${name};
    in
    lib.mkMerge [
      {
        description = "Exporter of figures of ${name}";
        wantedBy = [ "multi-user.target" ];
        after = [ "network.target" ];
        serviceConfig = forms.hardening // {
          User = entry.user;
          Group = entry.group;
          ExecStart = "/usr/bin/prometheus-${name}-exporter ${
            lib.escapeShellArgs (
              [ "--web.listen-address=${entry.listenAddress}:${toString entry.port}" ]
              ++ (exporter.arguments or (_: [ ])) entry
            )
          } ${lib.concatStringsSep " " entry.extraFlags}";
          Restart = "always";
          CapabilityBoundingSet = lib.mkDefault "";
          MemoryDenyWriteExecute = true;
          RestrictNamespaces = true;
          SystemCallArchitectures = "native";
          RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" ];
        };
      }
      ((exporter.unit or (_: { })) entry)
    ];
in
{
  options.services.prometheus.exporters = lib.mapAttrs (name: exporter: common name exporter // exporter.options or { }) exporters;
  config = {
    system.debian.packages = map (name: "prometheus-${name}-exporter") (builtins.attrNames enabled);
    users.users = lib.mkMerge (
      map (
        name:
        lib.mkIf (cfg.${name}.user == "${name}-exporter") {
          "${name}-exporter" = {
            inherit (cfg.${name}) group;
            isSystemUser = true;
            description = "Exporter of figures of ${name}";
          };
        }
      ) (builtins.attrNames enabled)
    );
    users.groups = lib.mkMerge (
      map (name: lib.mkIf (cfg.${name}.group == "${name}-exporter") { "${name}-exporter" = { }; }) (builtins.attrNames enabled)
    );
    networking.claimedPorts = lib.mapAttrsToList (name: _: {
      inherit (cfg.${name}) port;
      by = "services.prometheus.exporters.${name}.port";
    }) enabled;
    networking.firewall = lib.mkMerge (
      map (
        name:
        lib.mkIf cfg.${name}.openFirewall (
          if cfg.${name}.firewallRules == null then { allowedTCPPorts = [ cfg.${name}.port ]; } else { extraInputRules = cfg.${name}.firewallRules; }
        )
      ) (builtins.attrNames enabled)
    );
    systemd.services = lib.mapAttrs' (name: exporter: lib.nameValuePair "prometheus-${name}-exporter" (service name exporter)) enabled;
  };
}
