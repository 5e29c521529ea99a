# MariaDB, by the name that NixOS has for it: a relational database that speaks MySQL's protocol.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.mysql;
  galera = cfg.galeraCluster;
  atom = types.nullOr (types.oneOf [ types.bool types.int types.float types.str ]);

  text =
    content:
    if content == true then
      "true"
    else if content == false then
      "false"
    else
      toString content;
  line = name: content: if content == null then "${name}\n" else lib.concatMapStrings (one: "${name}=${text one}\n") (lib.toList content);
  generated = lib.concatStrings (
    lib.mapAttrsToList (section: keys: "[${section}]\n${lib.concatStrings (lib.mapAttrsToList line keys)}\n") cfg.settings
  );
  port = cfg.settings.mysqld.port;

  literal = value: "'${lib.replaceStrings [ "\\" "'" ] [ "\\\\" "\\'" ] value}'";
  identifier = name: "`${lib.replaceStrings [ "`" ] [ "``" ] name}`";
  local = name: "${literal name}@'localhost'";
  # Statements for the server, through its socket.
  run = statements: "mariadb -N <<'END_OF_STATEMENTS'\n${statements}\nEND_OF_STATEMENTS\n";
  initialDatabase =
    database:
    run "CREATE DATABASE IF NOT EXISTS ${identifier database.name};"
    + lib.optionalString (database.schema != null) ''
      if [ -d ${lib.escapeShellArg "${database.schema}"} ]; then
        cat ${lib.escapeShellArg "${database.schema}"}/mysql-databases/*.sql
      else
        cat ${lib.escapeShellArg "${database.schema}"}
      fi | mariadb -N ${lib.escapeShellArg database.name}
    '';
  ensureUser =
    user:
    run (
      "CREATE USER IF NOT EXISTS ${local user.name} IDENTIFIED WITH unix_socket;"
      + lib.concatStrings (lib.mapAttrsToList (what: rights: "\nGRANT ${rights} ON ${what} TO ${local user.name};") user.ensurePermissions)
    );
in
{
  options.services.mysql = {
    enable = lib.mkEnableOption "MariaDB, a relational database that speaks MySQL's protocol";
    package = forms.package "mariadb-server";
    user = forms.str "mysql" "The account as which the server runs.";
    group = forms.str "mysql" "The group as which it runs.";
    dataDir = forms.path "/var/lib/mysql" "Directory of the data.";
    configFile = mkOption {
      type = types.path;
      default = pkgs.writeText "my.cnf" generated;
      defaultText = "a file made of the settings";
      description = "The configuration, `/etc/my.cnf`.";
    };
    settings = mkOption {
      type = types.attrsOf (types.attrsOf (types.either atom (types.listOf atom)));
      default = { };
      example = {
        mysqld.key_buffer_size = "64M";
      };
      description = "Settings by section; null is a name without a value.";
    };
    initialDatabases = forms.listOf (
      types.submodule {
        options = {
          name = forms.required types.str "Name of the database.";
          schema = forms.optional types.path "File of SQL that fills it, or a directory with such files in `mysql-databases`.";
        };
      }
    ) "Databases that are made at the first start.";
    initialScript = forms.optional types.path "File of SQL that is run at the first start. A path in the configuration is not copied: it may have secrets.";
    ensureDatabases = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "nextcloud" ];
      description = "Databases that are made when they do not exist. None is ever removed.";
    };
    ensureUsers = forms.listOf (
      types.submodule {
        options = {
          name = forms.required types.str "Name of the user: the account of that name logs in without a password.";
          ensurePermissions = mkOption {
            type = types.attrsOf types.str;
            default = { };
            example = {
              "nextcloud.*" = "ALL PRIVILEGES";
            };
            description = "Rights by what they are granted on.";
          };
        };
      }
    ) "Users that are made when they do not exist, and rights that they are granted. None is ever removed.";
    secureSuperUserByDefault = forms.bool true "Has to be on: root of MariaDB is root of the machine, through the socket.";
    replication = {
      role = forms.of (types.enum [ "master" "slave" "none" ]) "none" "Part that the server has in a replication.";
      serverId = forms.int 1 "Number of the server, unlike that of all others.";
      masterHost = forms.required types.str "Name of the master, for slaves.";
      slaveHost = forms.required types.str "Name of the slave, for the master.";
      masterUser = forms.required types.str "User of the replication.";
      masterPassword = forms.required types.str "Password of that user. All can read it in the store.";
      masterPort = forms.port 3306 "Port of the master.";
    };
    galeraCluster = {
      enable = lib.mkEnableOption "a cluster by Galera";
      package = forms.package "galera-4";
      name = forms.str "galera" "Name of the cluster.";
      sstMethod = forms.of (types.enum [ "rsync" "mariabackup" ]) "rsync" "How a machine that joins gets the data.";
      localName = forms.required types.str "Name of this machine in the cluster.";
      localAddress = mkOption {
        type = types.str;
        default = galera.localName;
        defaultText = lib.literalExpression "config.services.mysql.galeraCluster.localName";
        description = "Address at which the others reach this machine.";
      };
      nodeAddresses = forms.strings "Addresses of all machines of the cluster.";
      clusterPassword = forms.str "" "Password of the cluster. All can read it in the store.";
      clusterAddress = mkOption {
        type = types.str;
        default = "";
        defaultText = "made of the addresses";
        example = "gcomm://10.0.0.10,10.0.0.20";
        description = "Address of the cluster.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    services.mysql.settings = {
      mysqld = lib.mkMerge [
        {
          datadir = cfg.dataDir;
          port = lib.mkDefault 3306;
          bind-address = lib.mkDefault (if galera.enable then "0.0.0.0" else "127.0.0.1");
          socket = lib.mkDefault "/run/mysqld/mysqld.sock";
        }
        (lib.mkIf (cfg.replication.role != "none") {
          bind-address = "0.0.0.0";
          log-bin = "mysql-bin-${toString cfg.replication.serverId}";
          log-bin-index = "mysql-bin-${toString cfg.replication.serverId}.index";
          relay-log = "mysql-relay-bin";
          server-id = cfg.replication.serverId;
          binlog-ignore-db = [ "information_schema" "performance_schema" "mysql" ];
        })
        (lib.mkIf galera.enable {
          enforce_storage_engine = "InnoDB";
          default_storage_engine = "InnoDB";
          binlog_format = "ROW";
        })
      ];
      galera = lib.mkIf galera.enable {
        wsrep_on = "ON";
        wsrep_provider = "/usr/lib/galera/libgalera_smm.so";
        wsrep_cluster_name = galera.name;
        wsrep_cluster_address =
          if galera.clusterAddress != "" then
            galera.clusterAddress
          else
            "gcomm://${lib.concatStringsSep "," galera.nodeAddresses}${lib.optionalString (galera.clusterPassword != "") "?gmcast.seg=1:${galera.clusterPassword}"}";
        wsrep_node_address = galera.localAddress;
        wsrep_node_name = galera.localName;
        wsrep_sst_method = lib.mkDefault galera.sstMethod;
        innodb_autoinc_lock_mode = 2;
      };
    };

    system.debian.packages = [ cfg.package.deb ] ++ lib.optionals galera.enable [ galera.package.deb "rsync" "socat" "iproute2" ];
    environment.etc."my.cnf".source = cfg.configFile;
    # Debian's own configuration, which its programs would read besides.
    system.debian.excludeEtc = [ "mysql" ];
    users.users = lib.mkIf (cfg.user == "mysql") {
      mysql = {
        group = cfg.group;
        isSystemUser = true;
        description = "MariaDB";
      };
    };
    users.groups = lib.mkIf (cfg.group == "mysql") { mysql = { }; };
    networking.claimedPorts = [
      {
        inherit port;
        by = "services.mysql.settings.mysqld.port";
      }
    ];
    networking.firewall = lib.mkIf galera.enable {
      allowedTCPPorts = [ port 4567 4568 4444 ];
      allowedUDPPorts = [ 4567 ];
    };
    # The package's own unit has these names.
    systemd.services.mariadb.enable = false;
    systemd.services.mysql = {
      description = "MariaDB server";
      documentation = [ "man:mariadbd(8)" ];
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      restartTriggers = [ cfg.configFile ];
      unitConfig.RequiresMountsFor = cfg.dataDir;
      preStart = ''
        if ! [ -e ${cfg.dataDir}/mysql ]; then
          mariadb-install-db --defaults-file=/etc/my.cnf --user=${cfg.user} --datadir=${cfg.dataDir} --auth-root-authentication-method=socket \
            --auth-root-socket-user=${cfg.user} --skip-test-db
          touch ${cfg.dataDir}/.first_startup
        fi
      '';
      postStart = ''
        until mariadb -N -e "SELECT 1" >/dev/null 2>&1; do
          kill -0 "$MAINPID" || exit 1
          sleep 0.1
        done
        ${lib.optionalString galera.enable ''
          until [ "$(mariadb -N -e "SHOW STATUS LIKE 'wsrep_local_state_comment'" | cut -f 2)" = Synced ]; do sleep 1; done
        ''}
        if [ -e ${cfg.dataDir}/.first_startup ]; then
          ${run "CREATE USER IF NOT EXISTS 'root'@'localhost' IDENTIFIED WITH unix_socket;\nGRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION;"}
          ${lib.concatMapStrings initialDatabase cfg.initialDatabases}
          ${lib.optionalString (cfg.replication.role == "master") (
            let
              account = "${literal cfg.replication.masterUser}@${literal cfg.replication.slaveHost}";
            in
            run "CREATE USER ${account} IDENTIFIED BY ${literal cfg.replication.masterPassword};\nGRANT REPLICATION SLAVE ON *.* TO ${account};"
          )}
          ${lib.optionalString (cfg.replication.role == "slave") (
            run "CHANGE MASTER TO MASTER_HOST=${literal cfg.replication.masterHost}, MASTER_PORT=${toString cfg.replication.masterPort}, MASTER_USER=${literal cfg.replication.masterUser}, MASTER_PASSWORD=${literal cfg.replication.masterPassword};\nSTART SLAVE;"
          )}
          ${lib.optionalString (cfg.initialScript != null) "mariadb -N <${lib.escapeShellArg (toString cfg.initialScript)}"}
          rm ${cfg.dataDir}/.first_startup
        fi
        ${lib.optionalString (cfg.ensureDatabases != [ ]) (
          run (lib.concatMapStringsSep "\n" (name: "CREATE DATABASE IF NOT EXISTS ${identifier name};") cfg.ensureDatabases)
        )}
        ${lib.concatMapStrings ensureUser cfg.ensureUsers}
      '';
      serviceConfig = forms.hardening // {
        Type = "notify";
        User = cfg.user;
        Group = cfg.group;
        ExecStart = "/usr/sbin/mariadbd --defaults-file=/etc/my.cnf $_WSREP_NEW_CLUSTER $_WSREP_START_POSITION";
        Restart = "on-abnormal";
        RestartSec = "5s";
        TimeoutStartSec = 300;
        LimitNOFILE = 32768;
        RuntimeDirectory = "mysqld";
        RuntimeDirectoryMode = "0755";
        ReadWritePaths = [ cfg.dataDir ];
        CapabilityBoundingSet = "";
        RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" ];
        MemoryDenyWriteExecute = true;
        SystemCallArchitectures = "native";
        StateDirectory = lib.mkIf (cfg.dataDir == "/var/lib/mysql") "mysql";
        StateDirectoryMode = lib.mkIf (cfg.dataDir == "/var/lib/mysql") "0700";
      };
    };
    assertions = [
      {
        assertion = cfg.package.deb == "mariadb-server";
        message = "services.mysql.package: Debian has MariaDB only, pkgs.mariadb-server";
      }
      {
        assertion = cfg.secureSuperUserByDefault;
        message = "services.mysql.secureSuperUserByDefault = false: MariaDB's root is always safe";
      }
      {
        assertion = galera.enable -> galera.nodeAddresses != [ ] || galera.clusterAddress != "";
        message = "services.mysql.galeraCluster needs 'nodeAddresses' or 'clusterAddress'";
      }
    ];
  };
}
