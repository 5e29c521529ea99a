# Prometheus: collects figures of machines and services, keeps and queries them; with its exporter for machines, its
# manager of alerts and its gateway.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../../option-forms.nix { inherit lib pkgs; };
  parts = import ./prometheus-types.nix { inherit lib forms; };
  cfg = config.services.prometheus;
  node = cfg.exporters.node;
  alertmanager = cfg.alertmanager;
  pushgateway = cfg.pushgateway;

  # Without what is not given. Paths are copied.
  given =
    value:
    if builtins.isList value then
      map given value
    else if builtins.isAttrs value && !lib.isDerivation value then
      lib.mapAttrs (_: given) (lib.filterAttrs (_: entry: entry != null) value)
    else if builtins.isPath value then
      "${value}"
    else
      value;
  # JSON is YAML.
  yaml = name: value: pkgs.writeText name "${builtins.toJSON (given value)}\n";
  ruleFiles = lib.imap1 (index: text: pkgs.writeText "rules-${toString index}.yml" text) cfg.rules ++ cfg.ruleFiles;
  configuration =
    if cfg.configText != null then
      pkgs.writeText "prometheus.yml" cfg.configText
    else
      yaml "prometheus.yml" (
        {
          global = cfg.globalConfig;
          scrape_configs = cfg.scrapeConfigs;
        }
        // lib.optionalAttrs (cfg.remoteWrite != [ ]) { remote_write = cfg.remoteWrite; }
        // lib.optionalAttrs (!cfg.enableAgentMode) (
          {
            rule_files = map (file: "${file}") ruleFiles;
            alerting.alertmanagers = cfg.alertmanagers;
          }
          // lib.optionalAttrs (cfg.remoteRead != [ ]) { remote_read = cfg.remoteRead; }
        )
      );
  place = "/etc/prometheus/prometheus.yaml";
  directory = "/var/lib/${cfg.stateDir}";
  arguments = [
    "--config.file=${place}"
    "--web.listen-address=${cfg.listenAddress}:${toString cfg.port}"
    "--web.external-url=${if cfg.webExternalUrl == null then "http://${config.networking.fqdn}:${toString cfg.port}/" else cfg.webExternalUrl}"
  ]
  ++ (
    if cfg.enableAgentMode then
      [ "--enable-feature=agent" ]
    else
      [
        "--storage.tsdb.path=${directory}/data"
        "--alertmanager.notification-queue-capacity=${toString cfg.alertmanagerNotificationQueueCapacity}"
      ]
      ++ lib.optional (cfg.retentionTime != null) "--storage.tsdb.retention.time=${cfg.retentionTime}"
  )
  ++ lib.optional (cfg.webConfigFile != null) "--web.config.file=${cfg.webConfigFile}"
  ++ cfg.extraFlags;
  check =
    lib.optionalString (cfg.checkConfig != false)
      "/usr/bin/promtool check config ${lib.optionalString (cfg.checkConfig == "syntax-only") "--syntax-only "}${lib.optionalString cfg.enableAgentMode "--agent "}${place} >/dev/null";

  account = name: {
    users.users.${name} = {
      group = name;
      isSystemUser = true;
      description = name;
    };
    users.groups.${name} = { };
  };
  address = host: port: "${host}:${toString port}";
  alertConfiguration =
    if alertmanager.configuration != null then
      yaml "alertmanager.yml" alertmanager.configuration
    else
      pkgs.writeText "alertmanager.yml" (if alertmanager.configText == null then "" else alertmanager.configText);
  hardened = forms.hardening // {
    Restart = "always";
    CapabilityBoundingSet = "";
    MemoryDenyWriteExecute = true;
    RestrictNamespaces = true;
    SystemCallArchitectures = "native";
  };
in
{
  options.services.prometheus = {
    enable = lib.mkEnableOption "Prometheus, which collects figures, keeps and queries them";
    package = forms.package "prometheus";
    port = forms.port 9090 "Port of the server.";
    listenAddress = forms.str "0.0.0.0" "Address of the server.";
    stateDir = forms.str "prometheus2" "Directory of the data, below /var/lib.";
    extraFlags = forms.strings "Further arguments.";
    enableReload = forms.bool false "Whether a changed configuration is reloaded instead of the server being restarted.";
    enableAgentMode = forms.bool false "Whether values are only collected and sent on.";
    checkConfig = mkOption {
      type = types.either types.bool (types.enum [ "syntax-only" ]);
      default = true;
      description = "Whether the configuration is checked before the server starts or reloads; `syntax-only` looks at no other files.";
    };
    configText = forms.optional types.lines "The whole configuration, in place of the options.";
    globalConfig = forms.of parts.global { } "Settings for all jobs.";
    remoteRead = forms.listOf parts.remoteRead "Where values are read from besides.";
    remoteWrite = forms.listOf parts.remoteWrite "Where values are sent to.";
    rules = forms.strings "Texts of rules.";
    ruleFiles = forms.listOf types.path "Files of rules.";
    scrapeConfigs = mkOption {
      type = types.listOf parts.scrape;
      default = [ ];
      example = lib.literalExpression ''[ { job_name = "node"; static_configs = [ { targets = [ "localhost:9100" ]; } ]; } ]'';
      description = "What is collected from where.";
    };
    alertmanagers = forms.listOf (types.attrsOf parts.json) "Managers that alerts are sent to.";
    alertmanagerNotificationQueueCapacity = forms.int 10000 "How many alerts may wait.";
    webExternalUrl = forms.optional types.str "Address at which others reach the server.";
    webConfigFile = forms.optional types.path "File of settings of TLS and passwords.";
    retentionTime = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "15d";
      description = "How long values are kept.";
    };

    exporters.node = {
      enable = lib.mkEnableOption "the exporter of the machine's own figures";
      port = forms.port 9100 "Port.";
      listenAddress = forms.str "0.0.0.0" "Address.";
      extraFlags = forms.strings "Further arguments.";
      openFirewall = forms.bool false "Whether the firewall lets connections to the port in.";
      firewallRules = mkOption {
        type = types.nullOr types.lines;
        default = null;
        example = ''iifname "eth0" tcp dport 9100 accept'';
        description = "Rules of nftables in place of that for the port.";
      };
      user = forms.str "node-exporter" "The account as which it runs.";
      group = forms.str "node-exporter" "The group as which it runs.";
      enabledCollectors = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "systemd" ];
        description = "Collectors besides the usual ones.";
      };
      disabledCollectors = forms.strings "Collectors of the usual ones that are off.";
    };

    alertmanager = {
      enable = lib.mkEnableOption "the manager of alerts";
      package = forms.package "prometheus-alertmanager";
      configuration = forms.optional (types.attrsOf parts.json) "The configuration.";
      configText = forms.optional types.lines "The configuration as text.";
      checkConfig = forms.bool true "Whether the configuration is checked before it starts.";
      environmentFile = forms.optional types.path "File with variables that the configuration names as `$NAME`.";
      logFormat = forms.optional types.str "Form of the log.";
      logLevel = forms.of (types.enum [ "debug" "info" "warn" "error" "fatal" ]) "warn" "How much is logged.";
      webExternalUrl = forms.optional types.str "Address at which others reach it.";
      listenAddress = forms.str "" "Address.";
      port = forms.port 9093 "Port.";
      openFirewall = forms.bool false "Whether the firewall lets connections to the port in.";
      clusterPeers = forms.strings "Other managers of the cluster.";
      extraFlags = forms.strings "Further arguments.";
    };

    pushgateway = {
      enable = lib.mkEnableOption "the gateway that jobs push values to";
      package = forms.package "prometheus-pushgateway";
      web = {
        listen-address = forms.optional types.str "Address and port.";
        telemetry-path = forms.optional types.str "Path of the metrics.";
        external-url = forms.optional types.str "Address at which others reach it.";
        route-prefix = forms.optional types.str "What all paths begin with.";
      };
      persistence.interval = forms.optional types.str "How often values are written.";
      persistMetrics = forms.bool false "Whether values are kept over a restart.";
      stateDir = forms.str "pushgateway" "Directory of the values, below /var/lib.";
      log = {
        level = forms.optional (types.enum [ "debug" "info" "warn" "error" "fatal" ]) "How much is logged.";
        format = forms.optional types.str "Form of the log.";
      };
      extraFlags = forms.strings "Further arguments.";
    };
  };

  config = lib.mkMerge [
    (lib.mkIf cfg.enable (
      account "prometheus"
      // {
        system.debian.packages = [ cfg.package.deb ];
        environment.etc."prometheus/prometheus.yaml".source = configuration;
        networking.claimedPorts = [
          {
            inherit (cfg) port;
            by = "services.prometheus.port";
          }
        ];
        systemd.services.prometheus = {
          description = "Prometheus";
          documentation = [ "man:prometheus(1)" ];
          wantedBy = [ "multi-user.target" ];
          after = [ "network.target" ];
          restartTriggers = lib.optional (!cfg.enableReload) configuration;
          reloadTriggers = lib.optional cfg.enableReload configuration;
          preStart = check;
          reload = "${check}\nkill -HUP $MAINPID";
          serviceConfig = hardened // {
            User = "prometheus";
            Group = "prometheus";
            ExecStart = "/usr/bin/prometheus ${lib.concatStringsSep " " arguments}";
            WorkingDirectory = directory;
            StateDirectory = cfg.stateDir;
            StateDirectoryMode = "0700";
            RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" ];
          };
        };
        assertions = [
          {
            assertion = builtins.match "(.*\\..*|.*]):([[:digit:]]+)" cfg.listenAddress == null;
            message = "services.prometheus.listenAddress has a port; that is 'services.prometheus.port'";
          }
          {
            assertion = cfg.enableAgentMode -> cfg.rules == [ ] && cfg.ruleFiles == [ ] && cfg.alertmanagers == [ ] && cfg.remoteRead == [ ];
            message = "services.prometheus.enableAgentMode: an agent has no rules, alerts and other servers to read from";
          }
        ];
      }
    ))
    (lib.mkIf node.enable {
      system.debian.packages = [ "prometheus-node-exporter" ];
      users.users = lib.mkIf (node.user == "node-exporter") {
        node-exporter = {
          inherit (node) group;
          isSystemUser = true;
          description = "Exporter of figures";
        };
      };
      users.groups = lib.mkIf (node.group == "node-exporter") { node-exporter = { }; };
      networking.claimedPorts = [
        {
          inherit (node) port;
          by = "services.prometheus.exporters.node.port";
        }
      ];
      networking.firewall = lib.mkIf node.openFirewall (
        if node.firewallRules == null then { allowedTCPPorts = [ node.port ]; } else { extraInputRules = node.firewallRules; }
      );
      systemd.services.prometheus-node-exporter = {
        description = "Exporter of the machine's figures";
        documentation = [ "man:prometheus-node-exporter(1)" ];
        wantedBy = [ "multi-user.target" ];
        after = [ "network.target" ];
        serviceConfig = removeAttrs hardened [ "PrivateDevices" ] // {
          User = node.user;
          Group = node.group;
          ExecStart = "/usr/bin/prometheus-node-exporter ${
            lib.concatStringsSep " " (
              map (name: "--collector.${name}") node.enabledCollectors
              ++ map (name: "--no-collector.${name}") node.disabledCollectors
              ++ [ "--web.listen-address=${address node.listenAddress node.port}" ]
              ++ node.extraFlags
            )
          }";
          RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" "AF_NETLINK" ];
          ProtectClock = builtins.elem "timex" node.disabledCollectors;
        };
      };
    })
    (lib.mkIf alertmanager.enable (
      account "alertmanager"
      // {
        system.debian.packages = [ alertmanager.package.deb "gettext-base" ];
        networking.firewall.allowedTCPPorts = lib.optional alertmanager.openFirewall alertmanager.port;
        networking.claimedPorts = [
          {
            inherit (alertmanager) port;
            by = "services.prometheus.alertmanager.port";
          }
        ];
        systemd.services.alertmanager = {
          description = "Manager of alerts of Prometheus";
          documentation = [ "man:prometheus-alertmanager(1)" ];
          wantedBy = [ "multi-user.target" ];
          wants = [ "network-online.target" ];
          after = [ "network-online.target" ];
          preStart = ''
            umask 077
            envsubst <${alertConfiguration} >/run/alertmanager/alertmanager.yml
            ${lib.optionalString alertmanager.checkConfig "amtool check-config /run/alertmanager/alertmanager.yml >/dev/null"}
          '';
          reload = "kill -HUP $MAINPID";
          serviceConfig = hardened // {
            User = "alertmanager";
            Group = "alertmanager";
            ExecStart = "/usr/bin/prometheus-alertmanager ${
              lib.concatStringsSep " " (
                [
                  "--config.file=/run/alertmanager/alertmanager.yml"
                  "--web.listen-address=${address alertmanager.listenAddress alertmanager.port}"
                  "--log.level=${alertmanager.logLevel}"
                  "--storage.path=/var/lib/alertmanager"
                ]
                ++ lib.optional (alertmanager.logFormat != null) "--log.format=${alertmanager.logFormat}"
                ++ lib.optional (alertmanager.webExternalUrl != null) "--web.external-url=${alertmanager.webExternalUrl}"
                ++ (if alertmanager.clusterPeers == [ ] then [ "--cluster.listen-address=" ] else map (peer: "--cluster.peer=${peer}:9094") alertmanager.clusterPeers)
                ++ alertmanager.extraFlags
              )
            }";
            EnvironmentFile = lib.mkIf (alertmanager.environmentFile != null) (toString alertmanager.environmentFile);
            StateDirectory = "alertmanager";
            RuntimeDirectory = "alertmanager";
            WorkingDirectory = "/var/lib/alertmanager";
            RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" "AF_NETLINK" ];
          };
        };
        assertions = [
          {
            assertion = (alertmanager.configuration == null) != (alertmanager.configText == null);
            message = "services.prometheus.alertmanager: either 'configuration' or 'configText' must be set";
          }
        ];
      }
    ))
    (lib.mkIf pushgateway.enable (
      account "pushgateway"
      // {
        system.debian.packages = [ pushgateway.package.deb ];
        systemd.services.pushgateway = {
          description = "Gateway that jobs push figures to";
          documentation = [ "man:prometheus-pushgateway(1)" ];
          wantedBy = [ "multi-user.target" ];
          after = [ "network.target" ];
          serviceConfig = hardened // {
            User = "pushgateway";
            Group = "pushgateway";
            ExecStart = "/usr/bin/prometheus-pushgateway ${
              lib.concatStringsSep " " (
                lib.mapAttrsToList (name: value: "--${name}=${value}") (
                  lib.filterAttrs (_: value: value != null) {
                    "web.listen-address" = pushgateway.web.listen-address;
                    "web.telemetry-path" = pushgateway.web.telemetry-path;
                    "web.external-url" = pushgateway.web.external-url;
                    "web.route-prefix" = pushgateway.web.route-prefix;
                    "persistence.interval" = pushgateway.persistence.interval;
                    "persistence.file" = if pushgateway.persistMetrics then "/var/lib/${pushgateway.stateDir}/metrics" else null;
                    "log.level" = pushgateway.log.level;
                    "log.format" = pushgateway.log.format;
                  }
                )
                ++ pushgateway.extraFlags
              )
            }";
            StateDirectory = lib.mkIf pushgateway.persistMetrics pushgateway.stateDir;
            RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" ];
          };
        };
      }
    ))
  ];
}
