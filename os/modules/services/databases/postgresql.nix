# PostgreSQL: a relational database.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.postgresql;

  # The package of the server: `postgresql` only names the one of the suite.
  isServer = name: builtins.match "postgresql-[0-9]+" name != null;
  server =
    if isServer cfg.package.deb then
      cfg.package.deb
    else
      lib.findFirst isServer (throw "services.postgresql.package: '${cfg.package.deb}' has no server") (
        pkgs.lock.packages.${cfg.package.deb}.depends
      );
  major = lib.removePrefix "postgresql-" server;
  bin = "/usr/lib/postgresql/${major}/bin";

  # The packages of extensions, by what their names add to the server's: postgresql-15-cron is `cron`.
  extensionSet =
    let
      prefix = "${server}-";
    in
    builtins.listToAttrs (
      lib.concatMap (
        name:
        let
          short = builtins.replaceStrings [ "-" ] [ "_" ] (lib.removePrefix prefix name);
          plain = builtins.match "(.*)_[0-9]+" short;
        in
        [ (lib.nameValuePair short pkgs.${name}) ] ++ lib.optional (plain != null) (lib.nameValuePair (builtins.head plain) pkgs.${name})
      ) (builtins.filter (lib.hasPrefix prefix) (builtins.attrNames pkgs.lock.packages))
    )
    // {
      __missing = name: pkgs.__missing "${prefix}${if name == "postgis" then "postgis-3" else builtins.replaceStrings [ "_" ] [ "-" ] name}";
    };
  extensions = if lib.isFunction cfg.extensions then cfg.extensions extensionSet else cfg.extensions;

  value =
    content:
    if content == true then
      "yes"
    else if content == false then
      "no"
    else if builtins.isString content then
      "'${lib.replaceStrings [ "'" ] [ "''" ] content}'"
    else
      toString content;
  configText = lib.concatStrings (
    lib.mapAttrsToList (name: content: "${name} = ${value content}\n") (lib.filterAttrs (_: content: content != null) cfg.settings)
  );

  identifier = name: "\"${lib.replaceStrings [ "\"" ] [ "\"\"" ] name}\"";
  literal = text: "'${lib.replaceStrings [ "'" ] [ "''" ] text}'";
  query = sql: "psql -v ON_ERROR_STOP=1 -tAc ${lib.escapeShellArg sql}\n";
  unless = condition: sql: "psql -tAc ${lib.escapeShellArg condition} | grep -q 1 || ${query sql}";
  clause =
    name: content:
    let
      word = lib.toUpper (lib.replaceStrings [ "_" ] [ " " ] name);
    in
    if builtins.isBool content then
      lib.optionalString (!content) "NO" + word
    else if builtins.isInt content then
      "${word} ${toString content}"
    else
      "${word} ${literal content}";
  ensureUser =
    user:
    let
      clauses = lib.mapAttrsToList clause user.ensureClauses;
    in
    unless "SELECT 1 FROM pg_roles WHERE rolname = ${literal user.name}" "CREATE USER ${identifier user.name}"
    + lib.optionalString (clauses != [ ]) (query "ALTER ROLE ${identifier user.name} ${lib.concatStringsSep " " clauses}")
    + lib.optionalString user.ensureDBOwnership (query "ALTER DATABASE ${identifier user.name} OWNER TO ${identifier user.name}");

  ownDirectory = cfg.dataDir == "/var/lib/postgresql/${major}";
in
{
  options.services.postgresql = {
    enable = lib.mkEnableOption "PostgreSQL, a relational database";
    package = forms.package "postgresql";
    finalPackage = mkOption {
      type = types.package;
      readOnly = true;
      default = cfg.package;
      defaultText = lib.literalExpression "config.services.postgresql.package";
      description = "The package that runs; extensions are packages of their own.";
    };
    enableJIT = forms.bool false "Whether queries may be compiled.";
    enableTCPIP = forms.bool false "Whether connections from other machines are accepted; {option}`authentication` says whose.";
    checkConfig = forms.bool true "Whether the settings are checked before the server starts.";
    dataDir = mkOption {
      type = types.path;
      default = "/var/lib/postgresql/${major}";
      defaultText = "/var/lib/postgresql/ and the version";
      description = "Directory of the data. One of another version is not taken over.";
    };
    authentication = forms.lines "Who may connect to what, as in pg_hba.conf: the first line that fits holds, these before the defaults.";
    identMap = forms.lines "Which accounts are which database users, as in pg_ident.conf.";
    initdbArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "--data-checksums" ];
      description = "Arguments of initdb, when the data directory is made.";
    };
    initialScript = forms.optional types.path "Statements of SQL that are run once, when the data directory has been made.";
    ensureDatabases = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "nextcloud" ];
      description = "Databases that are made when they do not exist. None is ever removed.";
    };
    ensureUsers = forms.listOf (
      types.submodule {
        options = {
          name = forms.required types.str "Name of the user.";
          ensureDBOwnership = forms.bool false "Whether the user owns the database of its name.";
          ensureClauses = mkOption {
            type = types.submodule { freeformType = types.attrsOf (types.oneOf [ types.str types.int types.bool ]); };
            default = { };
            example = {
              createdb = true;
              connection_limit = 5;
            };
            description = "Attributes of the role, as `ALTER ROLE` has them.";
          };
        };
      }
    ) "Users that are made when they do not exist; the account of that name logs in without a password.";
    extensions = mkOption {
      type = types.either (types.listOf types.package) (types.functionTo (types.listOf types.package));
      default = [ ];
      example = lib.literalExpression "ps: [ ps.cron ]";
      description = "Extensions: packages, or a function that is given those of this version by name.";
    };
    settings = mkOption {
      type = types.submodule {
        freeformType = types.attrsOf (types.nullOr (types.oneOf [ types.bool types.float types.int types.str ]));
        options = {
          shared_preload_libraries = mkOption {
            type = types.nullOr (types.coercedTo (types.listOf types.str) (lib.concatStringsSep ", ") types.commas);
            default = null;
            description = "Libraries that are loaded at the start.";
          };
          log_line_prefix = forms.str "[%p] " "What lines of the log begin with.";
          port = forms.port 5432 "Port of the server, and part of its socket's name.";
        };
      };
      default = { };
      example = {
        max_connections = 50;
        shared_buffers = "256MB";
      };
      description = "Settings of postgresql.conf.";
    };
    systemCallFilter = mkOption {
      type = types.attrsOf (
        types.coercedTo types.bool (enable: { inherit enable; }) (
          types.submodule (
            { name, ... }:
            {
              options = {
                enable = forms.bool true "Whether the entry is there.";
                priority = mkOption {
                  type = types.int;
                  default = if lib.hasPrefix "@" name then 500 else if lib.hasPrefix "~@" name then 1000 else 1500;
                  defaultText = "500 for groups, 1000 for groups that are left out, 1500 for single calls";
                  description = "Place among the entries; the order matters.";
                };
              };
            }
          )
        )
      );
      default = { };
      example = {
        "@resources" = true;
      };
      description = "System calls that the server may use: entries of systemd's `SystemCallFilter`.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.postgresql = {
      settings = {
        hba_file = "/etc/postgresql/pg_hba.conf";
        ident_file = "/etc/postgresql/pg_ident.conf";
        log_destination = "stderr";
        listen_addresses = lib.mkDefault (if cfg.enableTCPIP then "*" else "localhost");
        unix_socket_directories = lib.mkDefault "/run/postgresql";
        jit = lib.mkDefault (if cfg.enableJIT then "on" else "off");
      };
      authentication = lib.mkAfter ''
        # The defaults.
        local all postgres         peer map=postgres
        local all all              peer
        host  all all 127.0.0.1/32 md5
        host  all all ::1/128      md5
      '';
      identMap = lib.mkAfter ''
        postgres postgres postgres
      '';
      systemCallFilter = lib.mapAttrs (_: lib.mkDefault) {
        "@system-service" = true;
        "~@privileged" = true;
        "~@resources" = true;
      };
    };

    system.debian.packages = [ server ];
    environment.systemPackages = extensions;
    environment.etc = {
      "postgresql/postgresql.conf".text = configText;
      "postgresql/pg_hba.conf".text = cfg.authentication;
      "postgresql/pg_ident.conf".text = cfg.identMap;
    };
    users.users.postgres = {
      group = "postgres";
      isSystemUser = true;
      description = "PostgreSQL";
      home = cfg.dataDir;
      useDefaultShell = true;
    };
    users.groups.postgres = { };
    networking.claimedPorts = [
      {
        inherit (cfg.settings) port;
        by = "services.postgresql.settings.port";
      }
    ];

    systemd.targets.postgresql = {
      description = "PostgreSQL with its databases and users";
      wantedBy = [ "multi-user.target" ];
      requires = [ "postgresql.service" "postgresql-setup.service" ];
    };
    systemd.services.postgresql = {
      description = "PostgreSQL server";
      documentation = [ "https://www.postgresql.org/docs/${major}/" ];
      after = [ "network.target" ];
      wants = [ "postgresql.target" ];
      partOf = [ "postgresql.target" ];
      restartTriggers = [ configText cfg.identMap ];
      reloadTriggers = [ cfg.authentication ];
      environment.PGDATA = cfg.dataDir;
      preStart = ''
        if ! [ -e "$PGDATA/PG_VERSION" ]; then
          rm -f "$PGDATA"/*.conf
          ${bin}/initdb -U postgres ${lib.escapeShellArgs cfg.initdbArgs}
          touch "$PGDATA/.first_startup"
        fi
        ln -sfn /etc/postgresql/postgresql.conf "$PGDATA/postgresql.conf"
        ${lib.optionalString cfg.checkConfig "${bin}/postgres -C config_file >/dev/null"}
      '';
      unitConfig.RequiresMountsFor = cfg.dataDir;
      startLimitIntervalSec = 605;
      startLimitBurst = 5;
      reload = "kill -HUP $MAINPID";
      serviceConfig = forms.hardening // {
        Type = "notify";
        User = "postgres";
        Group = "postgres";
        ExecStart = "${bin}/postgres";
        # Ends sessions, and leaves the data in good order.
        KillSignal = "SIGINT";
        KillMode = "mixed";
        TimeoutSec = 120;
        Restart = "always";
        RuntimeDirectory = "postgresql";
        UMask = "0027";
        CapabilityBoundingSet = "";
        RemoveIPC = true;
        RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" "AF_NETLINK" ];
        RestrictNamespaces = true;
        SystemCallArchitectures = "native";
        SystemCallFilter = map (entry: entry.name) (
          lib.sort (a: b: if a.priority == b.priority then a.name < b.name else a.priority < b.priority) (
            lib.mapAttrsToList (name: entry: entry // { inherit name; }) (lib.filterAttrs (_: entry: entry.enable) cfg.systemCallFilter)
          )
        );
        MemoryDenyWriteExecute = lib.mkDefault (cfg.settings.jit == "off");
        ReadWritePaths = lib.mkIf (!ownDirectory) [ cfg.dataDir ];
        StateDirectory = lib.mkIf ownDirectory "postgresql postgresql/${major}";
        StateDirectoryMode = lib.mkIf ownDirectory "0750";
      };
    };
    systemd.services.postgresql-setup = {
      description = "Databases and users of PostgreSQL";
      requires = [ "postgresql.service" ];
      after = [ "postgresql.service" ];
      environment.PGPORT = toString cfg.settings.port;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        User = "postgres";
        Group = "postgres";
      };
      script = ''
        PATH=${bin}:$PATH
        if [ -e "${cfg.dataDir}/standby.signal" ]; then
          echo "a standby server takes its databases and users from the primary one"
          exit 0
        fi
        until [ "$(psql -d postgres -tAc 'SELECT NOT pg_is_in_recovery()' 2>/dev/null)" = t ]; do
          systemctl is-active --quiet postgresql.service || exit 1
          sleep 0.1
        done
        if [ -e "${cfg.dataDir}/.first_startup" ]; then
          ${lib.optionalString (cfg.initialScript != null) "psql -v ON_ERROR_STOP=1 -d postgres -f ${lib.escapeShellArg "${cfg.initialScript}"}"}
          rm -f "${cfg.dataDir}/.first_startup"
        fi
        ${lib.concatMapStrings (
          name: unless "SELECT 1 FROM pg_database WHERE datname = ${literal name}" "CREATE DATABASE ${identifier name}"
        ) cfg.ensureDatabases}${lib.concatMapStrings ensureUser cfg.ensureUsers}
      '';
    };
    assertions = map (user: {
      assertion = user.ensureDBOwnership -> builtins.elem user.name cfg.ensureDatabases;
      message = "services.postgresql.ensureUsers: '${user.name}' is to own the database of that name, which 'ensureDatabases' lacks";
    }) cfg.ensureUsers;
  };
}
