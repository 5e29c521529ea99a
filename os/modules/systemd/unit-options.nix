# Options of systemd units, as NixOS has them.
{ lib, pkgs }:
let
  inherit (lib) mkOption types;
  inherit (types)
    attrsOf
    bool
    enum
    lines
    listOf
    nullOr
    str
    ;

  atom = types.oneOf [ bool types.int types.float str types.path types.package ];

  # The value of a key: a list gives the key several times, and lists of several definitions are joined.
  unitOption = lib.mkOptionType {
    name = "systemd option";
    description = "systemd option value or list of them";
    check = value: if builtins.isList value then builtins.all atom.check value else value == null || atom.check value;
    merge =
      location: definitions:
      if builtins.any (definition: builtins.isList definition.value) definitions then
        lib.concatMap (definition: if builtins.isList definition.value then definition.value else [ definition.value ]) definitions
      else
        lib.mergeEqualOption location definitions;
  };
  section = attrsOf unitOption;

  names =
    description:
    mkOption {
      type = listOf str;
      default = [ ];
      inherit description;
    };
  texts =
    description:
    mkOption {
      type = lines;
      default = "";
      inherit description;
    };
  keys =
    name: example:
    mkOption {
      type = section;
      default = { };
      inherit example;
      description = "Keys of the unit's section `[${name}]`; a list gives the key several times, null leaves it out.";
    };

  shared = {
    enable = mkOption {
      type = bool;
      default = true;
      description = "Whether the unit exists; a disabled one is masked, also when a package brings it.";
    };
    overrideStrategy = mkOption {
      type = enum [ "asDropinIfExists" "asDropin" ];
      default = "asDropinIfExists";
      description = ''
        How the definition joins a unit of the same name that a package brings. `asDropinIfExists`: as a drop-in, unless the definition is
        complete (has an `ExecStart` of its own), which replaces it. `asDropin`: always as a drop-in; for instances of templates.
      '';
    };
    requiredBy = names "Units that require this one.";
    upheldBy = names "Units that keep this one running.";
    wantedBy = names "Units that want this one: started with them.";
    aliases = names "Other names of the unit.";
  };

  common = {
    description = mkOption {
      type = types.singleLineStr;
      default = "";
      description = "What the unit is, as shown by systemctl.";
    };
    documentation = names "URIs of documentation.";
    requires = names "Units started with this one; if one fails this one is stopped.";
    wants = names "Units started with this one.";
    upholds = names "Units kept running while this one runs.";
    after = names "Units after which this one is started.";
    before = names "Units before which this one is started.";
    bindsTo = names "Units that are required; when one stops this one stops too.";
    partOf = names "Units with which this one is stopped and restarted.";
    conflicts = names "Units that cannot run together with this one.";
    requisite = names "Units that must run already when this one is started.";
    onFailure = names "Units started when this one fails.";
    onSuccess = names "Units started when this one ends well.";
    unitConfig = keys "Unit" { RequiresMountsFor = "/data"; };
    startLimitBurst = mkOption {
      type = nullOr types.int;
      default = null;
      description = "How many starts are allowed within the interval.";
    };
    startLimitIntervalSec = mkOption {
      type = nullOr types.int;
      default = null;
      description = "The interval of the start limit, in seconds.";
    };
    restartTriggers = mkOption {
      type = listOf types.unspecified;
      default = [ ];
      description = "Values, usually files of the configuration; when one differs after a switch, the unit is restarted.";
    };
    reloadTriggers = mkOption {
      type = listOf types.unspecified;
      default = [ ];
      description = "Values; when one differs after a switch, the unit is reloaded.";
    };
    stopOnRemoval = mkOption {
      type = bool;
      default = true;
      description = "Whether the unit is stopped when a new configuration no longer has it.";
    };
  };

  service = {
    environment = mkOption {
      type = attrsOf (nullOr (types.oneOf [ str types.path types.package ]));
      default = { };
      example = {
        LANG = "C.UTF-8";
      };
      description = "Environment variables of the service's processes.";
    };
    path = mkOption {
      type = listOf (types.oneOf [ types.package str ]);
      default = [ ];
      description = "Packages whose programs the service finds on PATH. Debian packages become part of `/usr`.";
    };
    serviceConfig = keys "Service" { RestartSec = 5; };
    script = texts "Shell text (bash) run as the service's main process.";
    scriptArgs = mkOption {
      type = str;
      default = "";
      description = "Arguments of the script.";
    };
    enableStrictShellChecks = mkOption {
      type = bool;
      default = false;
      description = "Accepted for compatibility; scripts are not checked.";
    };
    preStart = texts "Shell text run before the main process.";
    postStart = texts "Shell text run after the start.";
    reload = texts "Shell text run to reload the service.";
    preStop = texts "Shell text run to stop the service.";
    postStop = texts "Shell text run after the stop.";
    restartIfChanged = mkOption {
      type = bool;
      default = true;
      description = "Whether a switch restarts the unit when its definition changed.";
    };
    reloadIfChanged = mkOption {
      type = bool;
      default = false;
      description = "Whether a switch reloads the unit, instead of restarting it, when its definition changed.";
    };
    stopIfChanged = mkOption {
      type = bool;
      default = true;
      description = ''
        Whether a changed unit is stopped before the new system is activated and started after it; otherwise it is restarted after
        activation.
      '';
    };
    notSocketActivated = mkOption {
      type = bool;
      default = false;
      description = "Whether a changed unit is restarted as such although a socket activates it.";
    };
    startAt = mkOption {
      type = types.coercedTo str (text: [ text ]) (listOf str);
      default = [ ];
      example = "Sun 14:00:00";
      description = "When the service is started, as calendar events of systemd.time(7).";
    };
  };
in
{
  inherit section unitOption;
  units = shared // {
    text = mkOption {
      type = nullOr str;
      default = null;
      description = "The unit file's text.";
    };
    complete = mkOption {
      type = bool;
      default = true;
      internal = true;
      description = "Whether the text replaces a package's unit of that name.";
    };
  };
  services = shared // common // service;
  targets = shared // common;
  sockets =
    shared
    // common
    // {
      listenStreams = names "Addresses, ports and sockets to listen on for connections.";
      listenDatagrams = names "Addresses to listen on for datagrams.";
      socketConfig = keys "Socket" { ListenStream = "/run/my-socket"; };
    };
  timers =
    shared
    // common
    // {
      timerConfig = keys "Timer" { OnCalendar = "daily"; };
    };
  paths =
    shared
    // common
    // {
      pathConfig = keys "Path" { PathChanged = "/some/path"; };
    };
  slices =
    shared
    // common
    // {
      sliceConfig = keys "Slice" { MemoryMax = "2G"; };
    };
  mounts =
    shared
    // common
    // {
      what = mkOption {
        type = str;
        description = "What is mounted.";
      };
      where = mkOption {
        type = str;
        description = "Where it is mounted.";
      };
      type = mkOption {
        type = str;
        default = "";
        description = "Type of the file system.";
      };
      options = mkOption {
        type = str;
        default = "";
        description = "Mount options, separated by commas.";
      };
      mountConfig = keys "Mount" { DirectoryMode = "0755"; };
    };
  automounts =
    shared
    // common
    // {
      where = mkOption {
        type = str;
        description = "Where it is mounted.";
      };
      automountConfig = keys "Automount" { TimeoutIdleSec = 60; };
    };
}
