# Redis: data in memory, kept on disk; any number of servers.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.redis;
  nameOf = name: "redis" + lib.optionalString (name != "") "-${name}";
  enabled = lib.filterAttrs (_: server: server.enable) cfg.servers;

  value =
    content:
    if content == true then
      "yes"
    else if content == false then
      "no"
    else
      toString content;
  line = name: content: lib.concatMapStrings (one: "${name} ${value one}\n") (lib.toList content);
  textOf = settings: lib.concatStrings (lib.mapAttrsToList line settings);

  server = types.submodule (
    { name, config, ... }:
    {
      options = {
        enable = lib.mkEnableOption "this server";
        user = mkOption {
          type = types.str;
          default = nameOf name;
          defaultText = "redis, with a dash and the server's name if it has one";
          description = "The account as which it runs.";
        };
        group = mkOption {
          type = types.str;
          default = config.user;
          defaultText = lib.literalExpression "config.user";
          description = "The group as which it runs.";
        };
        port = mkOption {
          type = types.port;
          default = if name == "" then 6379 else 0;
          defaultText = "6379 for the server without a name, else 0";
          description = "TCP port; 0 is none.";
        };
        openFirewall = forms.bool false "Whether the firewall lets connections to the port in.";
        extraParams = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "--sentinel" ];
          description = "Further arguments of the server.";
        };
        bind = forms.of (types.nullOr types.str) "127.0.0.1" "Addresses it listens on; null is all.";
        unixSocket = mkOption {
          type = types.nullOr types.path;
          default = "/run/${nameOf name}/redis.sock";
          defaultText = "redis.sock in the server's directory below /run";
          description = "The socket.";
        };
        unixSocketPerm = forms.int 660 "Permissions of the socket.";
        logLevel = forms.str "notice" "How much is logged: debug, verbose, notice or warning.";
        logfile = forms.str "/dev/null" "File of the log besides the system's.";
        syslog = forms.bool true "Whether the system's log is written to.";
        databases = forms.int 16 "How many databases there are.";
        maxclients = forms.int 10000 "How many clients may be connected.";
        save = forms.of (types.listOf (types.listOf types.int)) [
          [ 900 1 ]
          [ 300 10 ]
          [ 60 10000 ]
        ] "When data is written: pairs of seconds and changes. Never when empty.";
        slaveOf = forms.optional (types.submodule {
          options = {
            ip = forms.required types.str "Address of the master.";
            port = forms.port 6379 "Port of the master.";
          };
        }) "The server that this one copies.";
        masterUser = forms.optional types.str "User for the master.";
        masterAuth = forms.optional types.str "Password for the master. All can read it in the store.";
        masterAuthFile = forms.optional types.path "File with the password for the master.";
        requirePass = forms.optional types.str "Password of this server. All can read it in the store.";
        requirePassFile = forms.optional types.path "File with the password of this server.";
        sentinelAuthPassFile = forms.optional types.path "File with the password for other sentinels.";
        sentinelAuthUser = forms.optional types.str "User for the watched master.";
        sentinelMasterHost = forms.optional types.str "Address of the master that a sentinel watches.";
        sentinelMasterName = forms.optional types.str "Name of the master that a sentinel watches.";
        sentinelMasterPort = forms.optional types.int "Port of that master.";
        sentinelMasterQuorum = forms.optional types.int "How many sentinels have to agree that the master is gone.";
        appendOnly = forms.bool false "Whether each change is added to a file.";
        appendFsync = forms.str "everysec" "How often that file is written out: no, always or everysec.";
        slowLogLogSlowerThan = forms.int 10000 "Microseconds from which on a query is logged as slow.";
        slowLogMaxLen = forms.int 128 "How many slow queries are kept.";
        settings = mkOption {
          type = types.attrsOf (types.oneOf [ types.bool types.int types.str (types.listOf types.str) ]);
          default = { };
          example = {
            maxmemory = "256mb";
            maxmemory-policy = "allkeys-lru";
          };
          description = "Settings of redis.conf.";
        };
      };
      config.settings = lib.mkMerge [
        {
          inherit (config) port logfile databases maxclients;
          appendonly = config.appendOnly;
          daemonize = false;
          supervised = "systemd";
          loglevel = config.logLevel;
          syslog-enabled = config.syslog;
          syslog-ident = nameOf name;
          save = if config.save == [ ] then "\"\"" else map (pair: lib.concatMapStringsSep " " toString pair) config.save;
          dbfilename = "dump.rdb";
          dir = "/var/lib/${nameOf name}";
          appendfsync = config.appendFsync;
          slowlog-log-slower-than = config.slowLogLogSlowerThan;
          slowlog-max-len = config.slowLogMaxLen;
        }
        (lib.mkIf (config.bind != null) { inherit (config) bind; })
        (lib.mkIf (config.unixSocket != null) {
          unixsocket = toString config.unixSocket;
          unixsocketperm = toString config.unixSocketPerm;
        })
        (lib.mkIf (config.slaveOf != null) { slaveof = "${config.slaveOf.ip} ${toString config.slaveOf.port}"; })
        (lib.mkIf (config.masterUser != null) { masteruser = config.masterUser; })
        (lib.mkIf (config.masterAuth != null) { masterauth = config.masterAuth; })
        (lib.mkIf (config.requirePass != null) { requirepass = config.requirePass; })
      ];
    }
  );

  # Run as root, since files with passwords may be its alone. A sentinel keeps what it finds out in its configuration,
  # so that this is a file of its own that includes ours.
  prepare =
    name: server:
    let
      own = "/var/lib/${nameOf name}/redis.conf";
      made = "/run/${nameOf name}/made.conf";
      secret = key: file: lib.optionalString (file != null) "echo \"${key} $(cat ${lib.escapeShellArg (toString file)})\" >>${made}\n";
      watched = server.sentinelMasterName;
      keep = key: text: ''
        sed -i ${lib.escapeShellArg "/^sentinel ${key} ${watched} /d"} ${own}
        echo "sentinel ${key} ${watched} ${text}" >>${own}
      '';
    in
    pkgs.writeShellScript "${nameOf name}-prepare" ''
      set -e
      umask 077
      touch ${own}
      printf '%s' ${lib.escapeShellArg (textOf server.settings)} >${made}
      ${secret "requirepass" server.requirePassFile}${secret "masterauth" server.masterAuthFile}
      grep -q '^include ' ${own} || sed -i '1{h;s,.*,include ${made},;G}' ${own}
      [ -s ${own} ] || echo 'include ${made}' >${own}
      ${lib.optionalString (watched != null) (
        keep "monitor" "${server.sentinelMasterHost} ${toString server.sentinelMasterPort} ${toString server.sentinelMasterQuorum}"
        + lib.optionalString (server.sentinelAuthUser != null) (keep "auth-user" server.sentinelAuthUser)
        + lib.optionalString (server.sentinelAuthPassFile != null) (
          keep "auth-pass" "$(cat ${lib.escapeShellArg (toString server.sentinelAuthPassFile)})"
        )
      )}
      chown ${server.user}:${server.group} ${own} ${made}
    '';
in
{
  options.services.redis = {
    package = forms.package "redis-server";
    vmOverCommit = forms.bool true "Whether the kernel grants memory freely, which saving in the background wants.";
    servers = mkOption {
      type = types.attrsOf server;
      default = { };
      example = lib.literalExpression ''{ "".enable = true; cache = { enable = true; port = 6380; }; }'';
      description = "Servers by name; the one without a name is `redis.service`.";
    };
  };

  config = lib.mkIf (enabled != { }) {
    system.debian.packages = [ cfg.package.deb ];
    boot.kernel.sysctl = lib.mkIf cfg.vmOverCommit { "vm.overcommit_memory" = "1"; };
    users.users = lib.mapAttrs' (
      name: server:
      lib.nameValuePair server.user {
        inherit (server) group;
        isSystemUser = true;
        description = "Redis";
      }
    ) (lib.filterAttrs (name: server: server.user == nameOf name) enabled);
    users.groups = lib.mapAttrs' (_: server: lib.nameValuePair server.group { }) (
      lib.filterAttrs (name: server: server.group == nameOf name) enabled
    );
    networking.firewall.allowedTCPPorts = lib.concatMap (server: lib.optional server.openFirewall server.port) (builtins.attrValues enabled);
    networking.claimedPorts = lib.concatLists (
      lib.mapAttrsToList (
        name: server:
        lib.optional (server.port != 0) {
          inherit (server) port;
          address = if server.bind == null then null else server.bind;
          by = "services.redis.servers.\"${name}\".port";
        }
      ) enabled
    );
    systemd.services = {
      # The unit of the package, unless it is replaced by the server without a name.
      redis-server.enable = false;
    }
    // lib.mapAttrs' (
      name: server:
      lib.nameValuePair (nameOf name) {
        description = "Redis server${lib.optionalString (name != "") " ${name}"}";
        documentation = [ "man:redis-server(1)" ];
        wantedBy = [ "multi-user.target" ];
        after = [ "network.target" ];
        serviceConfig =
          forms.hardening
          // {
            Type = "notify";
            User = server.user;
            Group = server.group;
            ExecStartPre = "+${prepare name server}";
            ExecStart = "/usr/bin/redis-server /var/lib/${nameOf name}/redis.conf ${lib.escapeShellArgs server.extraParams}";
            RuntimeDirectory = nameOf name;
            RuntimeDirectoryMode = "0750";
            StateDirectory = nameOf name;
            StateDirectoryMode = "0700";
            UMask = "0077";
            LimitNOFILE = server.maxclients + 32;
            Restart = "on-failure";
            CapabilityBoundingSet = "";
            RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" ];
            RestrictNamespaces = true;
            MemoryDenyWriteExecute = true;
            SystemCallArchitectures = "native";
          };
      }
    ) enabled;
    assertions = lib.concatLists (
      lib.mapAttrsToList (
        name: server:
        let
          at = "services.redis.servers.\"${name}\"";
          sentinel = [ server.sentinelMasterName server.sentinelMasterHost server.sentinelMasterPort server.sentinelMasterQuorum ];
        in
        [
          {
            assertion = server.requirePass == null || server.requirePassFile == null;
            message = "${at}: only one of 'requirePass' and 'requirePassFile' may be set";
          }
          {
            assertion = server.masterAuth == null || server.masterAuthFile == null;
            message = "${at}: only one of 'masterAuth' and 'masterAuthFile' may be set";
          }
          {
            assertion = server.masterUser != null -> server.masterAuth != null || server.masterAuthFile != null;
            message = "${at}: 'masterUser' needs 'masterAuth' or 'masterAuthFile'";
          }
          {
            assertion = lib.unique (map (entry: entry == null) sentinel) != [ true false ] && lib.unique (map (entry: entry == null) sentinel) != [ false true ];
            message = "${at}: of sentinelMasterName, sentinelMasterHost, sentinelMasterPort and sentinelMasterQuorum some are set, some are not";
          }
        ]
      ) enabled
    );
  };
}
