# Grafana: pages of figures from Prometheus and other sources. Its package is its maker's, from an archive that the lock names.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.grafana;
  inherit (cfg) provision settings;
  share = "/usr/share/grafana";
  yaml = pkgs.formats.yaml { };
  ini = pkgs.formats.ini {
    listToValue = lib.concatMapStringsSep " " toString;
    mkKeyValue = lib.generators.mkKeyValueDefault {
      mkValueString = value: if value == null then "" else lib.generators.mkValueStringDefault { } value;
    } "=";
  };
  keyFile = "${cfg.dataDir}/secret_key";
  configuration = ini.generate "grafana.ini" (
    settings
    // {
      security = settings.security // lib.optionalAttrs (settings.security.secret_key == null) { secret_key = "$__file{${keyFile}}"; };
    }
  );

  # What is declared to Grafana: by its name, the directory that its file is in.
  declared = {
    datasource = { directory = "datasources"; part = provision.datasources; };
    dashboard = { directory = "dashboards"; part = provision.dashboards; };
  }
  // lib.mapAttrs (_: part: { directory = "alerting"; inherit part; }) provision.alerting;
  fileOf = name: part: if part.path != null then part.path else yaml.generate "${name}.yaml" part.settings;
  provisioning = pkgs.runCommand "grafana-provisioning" { } ''
    mkdir -p $out/alerting $out/dashboards $out/datasources $out/plugins
    ${lib.concatStrings (
      lib.mapAttrsToList (
        name: { directory, part }:
        lib.optionalString (part.path != null || part.settings != null) ''
          if [ -d ${fileOf name part} ]; then ln -s ${fileOf name part}/* $out/${directory}/; else ln -s ${fileOf name part} $out/${directory}/${name}.yaml; fi
        ''
      ) declared
    )}'';
  declarativePlugins = pkgs.linkFarm "grafana-plugins" (
    map (plugin: {
      name = plugin.pname or (lib.getName plugin);
      path = plugin;
    }) cfg.declarativePlugins
  );

  part =
    options:
    types.submodule {
      freeformType = yaml.type;
      inherit options;
    };
  name = forms.required types.str "Its name.";
  orgId = forms.int 1 "Number of the organisation.";
  listOf = options: forms.listOf (types.submodule { inherit options; });
  # A file, or settings from which one is made.
  declaration = what: options: {
    path = forms.optional types.path "File, or directory of files, of ${what}, in place of `settings`.";
    settings = forms.optional (types.submodule {
      options = options // {
        apiVersion = forms.int 1 "Version of the form.";
      };
    }) "What is declared of ${what}.";
  };
  datasource = part {
    inherit name;
    type = forms.required types.str "Its kind, such as `prometheus`.";
    access = forms.of (types.enum [ "proxy" "direct" ]) "proxy" "Who asks it: Grafana or the browser.";
    uid = forms.optional types.str "What other things call it.";
    url = forms.str "" "Its address.";
    editable = forms.bool false "Whether it may be changed on the pages.";
    jsonData = forms.optional types.attrs "Settings of the kind.";
    secureJsonData = forms.optional types.attrs "Secret settings of the kind. All can read them; `$__file{PATH}` takes one from a file.";
  };
  dashboards = part {
    name = forms.str "default" "Name of the provider.";
    type = forms.str "file" "Kind of the provider.";
    options.path = forms.required types.path "Directory of the dashboards.";
  };

  # Whether a secret is in the configuration itself.
  isOpen = value: builtins.isString value && builtins.match "\\$__(file|env)\\{.*}|\\$[^_$][^ ]+" value == null;
  sources = lib.optionals (provision.datasources.settings != null) provision.datasources.settings.datasources;
  base = [ "services" "grafana" ];
  renamed = from: to: lib.mkRenamedOptionModule (base ++ from) (base ++ [ "settings" ] ++ to);
  removed = from: to: lib.mkRemovedOptionModule (base ++ from) "Use services.grafana.settings.${to} with `$__file{PATH}`.";
in
{
  imports =
    map (name: renamed [ name.from ] [ "server" name.to ]) [
      { from = "protocol"; to = "protocol"; }
      { from = "addr"; to = "http_addr"; }
      { from = "port"; to = "http_port"; }
      { from = "domain"; to = "domain"; }
      { from = "rootUrl"; to = "root_url"; }
      { from = "staticRootPath"; to = "static_root_path"; }
      { from = "certFile"; to = "cert_file"; }
      { from = "certKey"; to = "cert_key"; }
      { from = "socket"; to = "socket"; }
    ]
    ++ map (name: renamed [ "database" name ] [ "database" name ]) [ "type" "host" "name" "user" "password" "path" ]
    ++ [
      (renamed [ "database" "connMaxLifetime" ] [ "database" "conn_max_lifetime" ])
      (renamed [ "security" "adminUser" ] [ "security" "admin_user" ])
      (renamed [ "security" "adminPassword" ] [ "security" "admin_password" ])
      (renamed [ "security" "secretKey" ] [ "security" "secret_key" ])
      (renamed [ "server" "serveFromSubPath" ] [ "server" "serve_from_sub_path" ])
      (renamed [ "smtp" "enable" ] [ "smtp" "enabled" ])
      (renamed [ "smtp" "user" ] [ "smtp" "user" ])
      (renamed [ "smtp" "password" ] [ "smtp" "password" ])
      (renamed [ "smtp" "fromAddress" ] [ "smtp" "from_address" ])
      (renamed [ "users" "allowSignUp" ] [ "users" "allow_sign_up" ])
      (renamed [ "users" "allowOrgCreate" ] [ "users" "allow_org_create" ])
      (renamed [ "users" "autoAssignOrg" ] [ "users" "auto_assign_org" ])
      (renamed [ "users" "autoAssignOrgRole" ] [ "users" "auto_assign_org_role" ])
      (renamed [ "auth" "disableLoginForm" ] [ "auth" "disable_login_form" ])
      (renamed [ "auth" "anonymous" "enable" ] [ "auth.anonymous" "enabled" ])
      (renamed [ "auth" "anonymous" "org_name" ] [ "auth.anonymous" "org_name" ])
      (renamed [ "auth" "anonymous" "org_role" ] [ "auth.anonymous" "org_role" ])
      (renamed [ "analytics" "reporting" "enable" ] [ "analytics" "reporting_enabled" ])
      (removed [ "database" "passwordFile" ] "database.password")
      (removed [ "security" "adminPasswordFile" ] "security.admin_password")
      (removed [ "security" "secretKeyFile" ] "security.secret_key")
      (removed [ "smtp" "passwordFile" ] "smtp.password")
      (lib.mkRemovedOptionModule (base ++ [ "extraOptions" ]) "Use services.grafana.settings.")
      (lib.mkRemovedOptionModule (base ++ [ "provision" "notifiers" ]) "Grafana 11 has none.")
    ];

  options.services.grafana = {
    enable = lib.mkEnableOption "Grafana, pages of figures. Its package is added by `firn deb add --archive grafana=https://apt.grafana.com --key FILE --suite stable grafana`";
    package = forms.package "grafana";
    declarativePlugins = mkOption {
      type = types.nullOr (types.listOf types.path);
      default = null;
      apply = list: if list == null then null else lib.unique list;
      description = "Directories of plugins; none can be added on the pages then. Null leaves plugins to the pages.";
    };
    dataDir = forms.path "/var/lib/grafana" "Directory of the data.";
    openFirewall = forms.bool false "Whether the firewall lets connections to the port in.";
    settings = mkOption {
      type = types.submodule {
        freeformType = ini.type;
        options = import ./grafana-settings.nix {
          inherit lib forms provisioning;
          inherit (cfg) dataDir;
          staticRoot = "${share}/public";
          plugins = if cfg.declarativePlugins == null then "${cfg.dataDir}/plugins" else declarativePlugins;
          declaresPlugins = cfg.declarativePlugins != null;
        };
      };
      default = { };
      example = {
        server.domain = "figures.example.org";
        "auth.anonymous".enabled = true;
      };
      description = "Settings by section, as in grafana.ini.";
    };
    provision = {
      enable = lib.mkEnableOption "what is declared below. It changes nothing: what is declared is there";
      datasources = declaration "sources of data" {
        prune = forms.bool false "Whether sources that are no longer declared are removed.";
        datasources = forms.listOf datasource "The sources.";
        deleteDatasources = listOf {
          inherit name;
          orgId = forms.required types.int "Number of the organisation.";
        } "Sources that are removed.";
      };
      dashboards = declaration "dashboards" {
        providers = forms.listOf dashboards "Directories with dashboards.";
      };
      alerting = {
        rules = declaration "rules of alerts" {
          groups = forms.listOf (part {
            inherit name;
            folder = forms.required types.str "Folder that the rules are kept in.";
            interval = forms.required types.str "How often the rules are evaluated.";
          }) "Groups of rules.";
          deleteRules = listOf {
            inherit orgId;
            uid = forms.required types.str "What other things call it.";
          } "Rules that are removed.";
        };
        contactPoints = declaration "whom alerts are sent to" {
          contactPoints = forms.listOf (part { inherit name; }) "The receivers.";
          deleteContactPoints = listOf {
            inherit orgId;
            uid = forms.required types.str "What other things call it.";
          } "Receivers that are removed.";
        };
        policies = declaration "which alerts are sent to whom" {
          policies = forms.listOf (part { }) "The policies.";
          resetPolicies = forms.listOf types.int "Organisations whose policies are the usual ones again.";
        };
        templates = declaration "texts of messages" {
          templates = forms.listOf (part {
            inherit name;
            template = forms.required types.str "The text.";
          }) "The texts.";
          deleteTemplates = listOf { inherit name orgId; } "Texts that are removed.";
        };
        muteTimings = declaration "times without messages" {
          muteTimes = forms.listOf (part { inherit name; }) "The times.";
          deleteMuteTimes = listOf { inherit name orgId; } "Times that are removed.";
        };
      };
    };
  };

  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb ];
    users.users.grafana = {
      group = "grafana";
      isSystemUser = true;
      home = toString cfg.dataDir;
      description = "Grafana";
    };
    users.groups.grafana = { };
    networking.claimedPorts = lib.optional (settings.server.protocol != "socket") {
      port = settings.server.http_port;
      by = "services.grafana.settings.server.http_port";
    };
    networking.firewall.allowedTCPPorts = lib.optional cfg.openFirewall settings.server.http_port;
    systemd.tmpfiles.settings.grafana.${toString cfg.dataDir}.d = {
      mode = "0700";
      user = "grafana";
      group = "grafana";
    };
    systemd.services.grafana = {
      description = "Grafana";
      documentation = [ "https://grafana.com/docs/grafana/latest/" ];
      wantedBy = [ "multi-user.target" ];
      after = [
        "network.target"
        "postgresql.service"
        "mysql.service"
      ];
      preStart = ''
        ln -sfn ${share}/conf ${share}/tools .
        ${lib.optionalString (settings.security.secret_key == null) ''
          if ! [ -s secret_key ]; then (umask 077; od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >secret_key); fi
        ''}'';
      serviceConfig = forms.hardening // {
        ExecStart = "${share}/bin/grafana server -homepath ${cfg.dataDir} -config ${configuration}";
        User = "grafana";
        Group = "grafana";
        WorkingDirectory = toString cfg.dataDir;
        Restart = "on-failure";
        RuntimeDirectory = "grafana";
        RuntimeDirectoryMode = "0755";
        UMask = "0027";
        AmbientCapabilities = lib.mkIf (settings.server.http_port < 1024) [ "CAP_NET_BIND_SERVICE" ];
        CapabilityBoundingSet = if settings.server.http_port < 1024 then [ "CAP_NET_BIND_SERVICE" ] else [ "" ];
        ProtectSystem = "full";
        ProtectClock = true;
        ProtectProc = "invisible";
        RemoveIPC = true;
        RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" ];
        RestrictNamespaces = true;
        SystemCallArchitectures = "native";
        SystemCallFilter = [ "@system-service" "~@privileged" ] ++ lib.optional (settings.server.protocol == "socket") "@chown";
      };
    };
    warnings =
      lib.optional
        (
          (settings.database.password != "" && isOpen settings.database.password)
          || (settings.security.admin_password != "admin" && isOpen settings.security.admin_password)
        )
        "services.grafana: all can read a password in the store; `$__file{PATH}` takes it from a file"
      ++ lib.optional (builtins.any (source: source.secureJsonData != null && builtins.any isOpen (builtins.attrValues source.secureJsonData)) sources)
        "services.grafana.provision.datasources: all can read what is in secureJsonData; `$__file{PATH}` takes it from a file";
    assertions = [
      {
        assertion = builtins.all (source: source.type == "prometheus" -> source.access != "direct") sources;
        message = "services.grafana.provision.datasources: browsers cannot ask Prometheus themselves (access = \"direct\")";
      }
    ]
    ++ lib.mapAttrsToList (name: { part, ... }: {
      assertion = part.path == null || part.settings == null;
      message = "services.grafana.provision: of ${name} either 'path' or 'settings' can be given";
    }) declared;
  };
}
