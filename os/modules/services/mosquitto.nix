# Mosquitto: a broker of MQTT, by which small devices and programs tell each other things.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.mosquitto;
  atom = types.oneOf [ types.bool types.int types.path types.str ];
  free = more: types.submodule { freeformType = types.attrsOf atom; options = more; };
  lines = settings: lib.concatStrings (lib.mapAttrsToList (name: content: "${name} ${if builtins.isBool content then lib.boolToString content else toString content}\n") settings);
  line = types.singleLineStr;

  user = types.submodule {
    options = {
      password = forms.optional line "Password, which all can read in the store.";
      passwordFile = forms.optional types.path "File of the password.";
      hashedPassword = forms.optional line "Password as mosquitto_passwd writes it, without the name.";
      hashedPasswordFile = forms.optional types.path "File with that.";
      acl = forms.of (types.listOf line) [ ] "What the user may read and write: `read TOPIC`, `readwrite TOPIC`.";
    };
  };
  listener = types.submodule {
    options = {
      port = forms.port 1883 "Port where it listens; 0 with an address that is a path is a socket.";
      address = forms.optional line "Address where it listens.";
      users = forms.attrsOf user "Who may log in.";
      omitPasswordAuth = forms.bool false "Whether nobody is asked for a password; who may come is a matter of the settings then.";
      acl = forms.of (types.listOf line) [ ] "What all may read and write.";
      authPlugins = forms.listOf (types.submodule {
        options = {
          plugin = forms.required types.path "The plugin.";
          denySpecialChars = forms.bool true "Whether names with characters of patterns are refused.";
          options = forms.attrsOf atom "Settings of the plugin.";
        };
      }) "Plugins that decide who may log in.";
      settings = mkOption {
        type = free { };
        default = { };
        example.allow_anonymous = true;
        description = "Further settings of the listener; see mosquitto.conf(5).";
      };
    };
  };
  bridge = types.submodule {
    options = {
      addresses = forms.listOf (types.submodule {
        options = {
          address = forms.required line "Name or address.";
          port = forms.port 1883 "Port.";
        };
      }) "Brokers that it is connected to.";
      topics = forms.of (types.listOf line) [ ] "Topics that are shared; see mosquitto.conf(5).";
      settings = mkOption {
        type = free { };
        default = { };
        description = "Further settings of the bridge.";
      };
    };
  };

  numbered = lib.imap0 (index: entry: { inherit index entry; }) cfg.listeners;
  passwordsAt = index: "/run/mosquitto/passwords-${toString index}";
  aclFile =
    index: entry:
    pkgs.writeText "mosquitto-acl-${toString index}" (
      lib.concatMapStrings (rule: "${if lib.hasPrefix "pattern" rule then rule else "topic ${rule}"}\n") entry.acl
      + lib.concatStrings (
        lib.mapAttrsToList (name: account: "user ${name}\n${lib.concatMapStrings (rule: "topic ${rule}\n") account.acl}") entry.users
      )
    );
  listenerText =
    { index, entry }:
    "listener ${toString entry.port} ${toString entry.address}\n"
    + lib.concatMapStrings (
      plugin:
      "auth_plugin ${plugin.plugin}\nauth_plugin_deny_special_chars ${lib.boolToString plugin.denySpecialChars}\n"
      + lib.concatStrings (lib.mapAttrsToList (name: content: "auth_opt_${name} ${toString content}\n") plugin.options)
    ) entry.authPlugins
    + lib.optionalString (!entry.omitPasswordAuth) "password_file ${passwordsAt index}\n"
    + "acl_file ${aclFile index entry}\n"
    + lines entry.settings;
  bridgeText =
    name: entry:
    "connection ${name}\naddresses ${lib.concatMapStringsSep " " (place: "${place.address}:${toString place.port}") entry.addresses}\n"
    + lib.concatMapStrings (topic: "topic ${topic}\n") entry.topics
    + lines entry.settings;
  file = pkgs.writeText "mosquitto.conf" (
    "per_listener_settings true\npersistence ${lib.boolToString cfg.persistence}\npersistence_location ${cfg.dataDir}/\n"
    + lib.concatMapStrings (place: "log_dest ${if lib.hasPrefix "/" place then "file ${place}" else place}\n") cfg.logDest
    + lib.concatMapStrings (kind: "log_type ${kind}\n") cfg.logType
    + lines cfg.settings
    + lib.concatMapStrings listenerText numbered
    + lib.concatStrings (lib.mapAttrsToList bridgeText cfg.bridges)
    + lib.concatMapStrings (directory: "include_dir ${directory}\n") cfg.includeDirs
  );

  sources = account: builtins.filter (source: source != null) [ account.password account.passwordFile account.hashedPassword account.hashedPasswordFile ];
  hasPassword = account: sources account != [ ];
  # Passwords are in files that only the service reads, those in the clear as what they are hashed to.
  passwordScript =
    { index, entry }:
    ''
      install -m 600 /dev/null ${passwordsAt index}
    ''
    + lib.concatStrings (
      lib.mapAttrsToList (
        name: account:
        let
          read = file: "\"$(cat ${lib.escapeShellArg file})\"";
          word = lib.escapeShellArg name;
        in
        if account.hashedPassword != null then
          "printf '%s:%s\\n' ${word} ${lib.escapeShellArg account.hashedPassword} >>${passwordsAt index}\n"
        else if account.hashedPasswordFile != null then
          "printf '%s:%s\\n' ${word} ${read account.hashedPasswordFile} >>${passwordsAt index}\n"
        else
          "mosquitto_passwd -b ${passwordsAt index} ${word} ${
            if account.password != null then lib.escapeShellArg account.password else read account.passwordFile
          }\n"
      ) (lib.filterAttrs (_: hasPassword) entry.users)
    )
    + "chown mosquitto:mosquitto ${passwordsAt index}\n";
  passwords = lib.concatMapStrings passwordScript (builtins.filter ({ entry, ... }: !entry.omitPasswordAuth) numbered);
in
{
  options.services.mosquitto = {
    enable = lib.mkEnableOption "Mosquitto, a broker of MQTT";
    package = forms.package "mosquitto";
    listeners = forms.listOf listener "Where it listens, and for whom.";
    bridges = forms.attrsOf bridge "Brokers that it is connected to, by name.";
    includeDirs = forms.of (types.listOf types.path) [ ] "Directories with further configuration.";
    logDest = forms.of (types.listOf (types.either types.path (types.enum [ "stdout" "stderr" "syslog" "topic" "dlt" ]))) [ "stderr" ] "Where it logs.";
    logType = forms.of (types.listOf (types.enum [ "debug" "error" "warning" "notice" "information" "subscribe" "unsubscribe" "websockets" "none" "all" ])) [ ] "What it logs.";
    persistence = forms.bool true "Whether messages are kept over a new start.";
    dataDir = forms.path "/var/lib/mosquitto" "Directory of its state.";
    settings = mkOption {
      type = free { };
      default = { };
      description = "Global settings; see mosquitto.conf(5).";
    };
  };
  config = lib.mkIf cfg.enable {
    assertions = lib.concatMap (
      { index, entry }:
      lib.mapAttrsToList (name: account: {
        assertion = builtins.length (sources account) <= 1;
        message = "services.mosquitto.listeners.${toString index}.users.${name} has more than one password";
      }) entry.users
    ) numbered;
    system.debian.packages = [ cfg.package.deb ];
    users.users.mosquitto = {
      group = "mosquitto";
      isSystemUser = true;
      home = cfg.dataDir;
      description = "Mosquitto";
    };
    users.groups.mosquitto = { };
    systemd.tmpfiles.rules = [ "d ${cfg.dataDir} 0700 mosquitto mosquitto - -" ];
    systemd.services.mosquitto = {
      description = "Mosquitto";
      documentation = [ "man:mosquitto(8)" ];
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      serviceConfig = forms.hardening // {
        Type = "notify";
        NotifyAccess = "main";
        User = "mosquitto";
        Group = "mosquitto";
        RuntimeDirectory = "mosquitto";
        RuntimeDirectoryMode = "0750";
        WorkingDirectory = cfg.dataDir;
        ReadWritePaths = [ cfg.dataDir ] ++ builtins.filter (lib.hasPrefix "/") cfg.logDest;
        # As root, which may read the files of passwords.
        ExecStartPre = [ "+${pkgs.writeShellScript "mosquitto-passwords" "set -eu\n${passwords}"}" ];
        ExecStart = "/usr/sbin/mosquitto -c ${file}";
        ExecReload = "kill -HUP $MAINPID";
        Restart = "on-failure";
      };
    };
    networking.claimedPorts = map (entry: {
      inherit (entry) port;
      by = "services.mosquitto";
    }) (builtins.filter (entry: entry.port != 0) cfg.listeners);
  };
}
