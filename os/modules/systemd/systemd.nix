# systemd and its units.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.systemd;
  options = import ./unit-options.nix { inherit lib pkgs; };
  text = import ./unit-text.nix { inherit lib pkgs; };
  unitFiles = import ./unit-files.nix { inherit lib; };
  env = config.system.debian.env;

  unitsOf =
    kind: description: extra:
    mkOption {
      type = types.attrsOf (types.submodule ([ { options = options.${kind}; } ] ++ extra));
      default = { };
      inherit description;
    };
  listOfUnits =
    kind: description:
    mkOption {
      type = types.listOf (types.submodule { options = options.${kind}; });
      default = [ ];
      inherit description;
    };

  byPlace =
    suffix: make: definitions:
    builtins.listToAttrs (
      map (definition: lib.nameValuePair "${escapePath definition.where}.${suffix}" (unitFiles.unit true make definition)) definitions
    );
  # Like systemd-escape --path.
  escapePath =
    path:
    let
      bare = lib.concatStringsSep "/" (builtins.filter (part: part != "") (lib.splitString "/" path));
    in
    if bare == "" then "-" else builtins.replaceStrings [ "-" "/" " " ] [ "\\x2d" "-" "\\x20" ] bare;
in
{
  options.systemd = {
    package = mkOption {
      type = types.package;
      default = pkgs.systemd;
      defaultText = lib.literalExpression "pkgs.systemd";
      description = "The systemd package.";
    };
    units = unitsOf "units" "Unit files as text; normally made by {option}`systemd.services` and its kin." [ ];
    packages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages that bring units; those of Debian packages in `/usr` are known anyway.";
    };
    services = unitsOf "services" "Services." [ ];
    targets = unitsOf "targets" "Targets." [ ];
    sockets = unitsOf "sockets" "Sockets." [ ];
    timers = unitsOf "timers" "Timers." [ ];
    paths = unitsOf "paths" "Path units." [ ];
    slices = unitsOf "slices" "Slices." [ ];
    mounts = listOfUnits "mounts" "Mounts that {option}`fileSystems` cannot express.";
    automounts = listOfUnits "automounts" "Automounts.";
    defaultUnit = mkOption {
      type = types.str;
      default = "multi-user.target";
      description = "The unit started at boot.";
    };
    globalEnvironment = mkOption {
      type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.path types.package ]));
      default = { };
      description = "Environment variables of all declared services.";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      example = "DefaultTimeoutStopSec=10s";
      description = "Lines of the section `[Manager]` of systemd's own configuration.";
    };
    settings.Manager = mkOption {
      type = options.section;
      default = { };
      example = {
        DefaultTimeoutStopSec = "10s";
      };
      description = "Settings of systemd itself; see systemd-system.conf(5).";
    };
  };

  config = {
    systemd.units =
      unitFiles.common {
        inherit text;
        inherit (cfg) globalEnvironment;
        options = cfg;
      }
      // byPlace "mount" text.mount cfg.mounts
      // byPlace "automount" text.automount cfg.automounts;

    systemd.timers = unitFiles.timersOf cfg.services;

    system.debian.packages = [
      "dbus"
      "libpam-systemd"
      "systemd"
      "systemd-sysv"
      "udev"
    ]
    ++ lib.concatMap (
      service: map (package: package.deb) (builtins.filter (package: package ? deb) service.path)
    ) (builtins.attrValues cfg.services);

    system.build.units = pkgs.buildTree (
      unitFiles.directory {
        scope = "system";
        inherit env;
        sw = config.system.path;
        inherit (cfg) defaultUnit units;
        packages = builtins.filter (package: !(package ? deb)) cfg.packages;
      }
      // {
        name = "system-units";
      }
    );

    environment.etc = {
      "systemd/system".source = config.system.build.units;
      "systemd/system.conf".text = ''
        [Manager]
        ${text.keys cfg.settings.Manager}${cfg.extraConfig}
      '';
    };

    assertions = lib.concatLists (
      lib.mapAttrsToList (name: service: [
        {
          assertion = !(service.script != "" && service.serviceConfig ? ExecStart);
          message = "systemd.services.${name}: both 'script' and 'serviceConfig.ExecStart' are given";
        }
        {
          assertion = !(service.reloadIfChanged && service.restartTriggers != [ ] && !service.restartIfChanged);
          message = "systemd.services.${name}: restartTriggers have no effect with 'reloadIfChanged'";
        }
      ]) cfg.services
    );
  };
}
