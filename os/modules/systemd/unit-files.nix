# Definitions of units as the files and links of a directory of units, for the system's manager and for those of users.
{ lib }:
let
  # A definition as { enable, text, complete, … }; `complete` says whether it replaces a package's unit.
  unit = complete: make: definition: {
    inherit (definition)
      enable
      overrideStrategy
      requiredBy
      upheldBy
      wantedBy
      aliases
      ;
    text = make definition;
    complete = complete && definition.overrideStrategy != "asDropin";
  };
  hasStart =
    service:
    service.script != ""
    || (
      service.serviceConfig ? ExecStart
      && !(builtins.isList service.serviceConfig.ExecStart && lib.take 1 service.serviceConfig.ExecStart == [ "" ])
    );
  # All definitions of a kind, by file name.
  all =
    suffix: make: complete: definitions:
    lib.mapAttrs' (
      name: definition: lib.nameValuePair "${name}.${suffix}" (unit (complete definition) make definition)
    ) definitions;
in
{
  inherit unit;

  # Units of the kinds that system and users have alike. `text` is unit-text.nix, `options` has the definitions of each kind.
  common =
    {
      text,
      options,
      globalEnvironment,
    }:
    lib.mapAttrs' (
      name: definition:
      lib.nameValuePair "${name}.service" (
        unit (hasStart definition) (text.service { inherit name globalEnvironment; }) definition
      )
    ) options.services
    // all "target" text.target (_: false) options.targets
    // all "socket" text.socket (
      socket: socket.listenStreams != [ ] || socket.listenDatagrams != [ ] || socket.socketConfig != { }
    ) options.sockets
    // all "timer" text.timer (timer: timer.timerConfig != { }) options.timers
    // all "path" text.path (_: true) options.paths
    // all "slice" text.slice (_: true) options.slices;

  # Timers of the services that say when they start.
  timersOf =
    services:
    lib.mapAttrs (_: service: {
      wantedBy = [ "timers.target" ];
      timerConfig.OnCalendar = service.startAt;
    }) (lib.filterAttrs (_: service: service.enable && service.startAt != [ ]) services);

  # What build-units.sh makes the directory of, in the form of pkgs.treeManifest.
  files =
    units:
    let
      enabled = lib.filterAttrs (_: entry: entry.enable) units;
      links =
        directory: pick:
        lib.concatLists (
          lib.mapAttrsToList (
            name: entry: map (by: lib.nameValuePair "${by}.${directory}/${name}" { target = "../${name}"; }) (pick entry)
          ) enabled
        );
      aliases = lib.concatLists (
        lib.mapAttrsToList (name: entry: map (alias: lib.nameValuePair alias { target = name; }) entry.aliases) enabled
      );
    in
    lib.concatMapAttrs (
      name: entry:
      if !entry.enable then
        { ${name}.target = "/dev/null"; }
      else if entry.text == null then
        { }
      else
        { "${if entry.complete then "unit" else "dropin"}/${name}".text = entry.text; }
    ) units
    // builtins.listToAttrs (
      links "wants" (entry: entry.wantedBy)
      ++ links "requires" (entry: entry.requiredBy)
      ++ links "upholds" (entry: entry.upheldBy)
      ++ aliases
    );
}
