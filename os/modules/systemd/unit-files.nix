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

  # The directory of units as pkgs.buildTree has it. A definition that completes a unit of a package is a drop-in there, else a unit of its own.
  directory =
    {
      scope,
      units,
      packages,
      env,
      sw,
      defaultUnit ? null,
    }:
    let
      vendor = "${env}/usr/lib/systemd/${scope}";
      # foo@bar.service is an instance of foo@.service.
      templateOf =
        name:
        let
          parts = builtins.match "([^@]*@)[^.].*" name;
          suffix = lib.last (lib.splitString "." name);
        in
        if parts == null then name else "${builtins.head parts}.${suffix}";
      definition =
        name: entry:
        { inherit (entry) text; }
        // lib.optionalAttrs (!entry.complete) {
          unless = map (known: "${vendor}/${known}") (lib.unique [ name (templateOf name) ]) ++ [ (templateOf name) ];
          instead = "${name}.d/overrides.conf";
        };
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
    {
      files =
        lib.mapAttrs (_: _: { target = "/dev/null"; }) (lib.filterAttrs (_: entry: !entry.enable) units)
        // builtins.listToAttrs (
          links "wants" (entry: entry.wantedBy)
          ++ links "requires" (entry: entry.requiredBy)
          ++ links "upholds" (entry: entry.upheldBy)
          ++ aliases
        )
        // lib.mapAttrs definition (lib.filterAttrs (_: entry: entry.text != null) enabled)
        // lib.optionalAttrs (defaultUnit != null) {
          "default.target" = {
            target = "${vendor}/${defaultUnit}";
            otherwise = defaultUnit;
          };
        };
      sources = lib.concatMap (
        package:
        map (place: {
          from = "${package}/${place}/systemd/${scope}";
          to = "";
        }) [ "etc" "lib" ]
      ) packages;
      programs = {
        options = if scope == "user" then "systemd.user.services" else "systemd.services";
        env = "${env}";
        sw = "${sw}";
      };
    };
}
