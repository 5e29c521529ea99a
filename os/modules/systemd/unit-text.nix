# The text of unit files from their options.
{ lib, pkgs }:
let
  inherit (builtins) isList isBool toString;

  value =
    content:
    if content == true then
      "true"
    else if content == false then
      "false"
    else
      toString content;

  # The lines of a section; sorted by key, null left out.
  keys =
    attributes:
    lib.concatStringsSep "" (
      lib.concatLists (
        lib.mapAttrsToList (
          name: content:
          if content == null then
            [ ]
          else
            map (single: "${name}=${value single}\n") (if isList content then content else [ content ])
        ) attributes
      )
    );

  list = name: entries: lib.optionalAttrs (entries != [ ]) { ${name} = lib.concatStringsSep " " entries; };

  # What is compared to see whether to restart: store paths as they are, other texts by their hash.
  trigger =
    entry:
    let
      text = if builtins.isString entry then entry else "${entry}";
    in
    if builtins.match "[^\n]{1,200}" text == null then
      # The hash loses the context, and with it the need to build what the text names.
      builtins.hashString "sha256" (builtins.unsafeDiscardStringContext text)
    else
      text;
  triggers = name: entries: lib.optionalAttrs (entries != [ ]) { ${name} = lib.concatMapStringsSep " " trigger entries; };

  unitSection =
    unit:
    "[Unit]\n"
    + keys (
      lib.optionalAttrs (unit.description != "") { Description = unit.description; }
      // list "Documentation" unit.documentation
      // list "Requires" unit.requires
      // list "Wants" unit.wants
      // list "Upholds" unit.upholds
      // list "After" unit.after
      // list "Before" unit.before
      // list "BindsTo" unit.bindsTo
      // list "PartOf" unit.partOf
      // list "Conflicts" unit.conflicts
      // list "Requisite" unit.requisite
      // list "OnFailure" unit.onFailure
      // list "OnSuccess" unit.onSuccess
      // lib.optionalAttrs (unit.startLimitBurst != null) { StartLimitBurst = unit.startLimitBurst; }
      // lib.optionalAttrs (unit.startLimitIntervalSec != null) { StartLimitIntervalSec = unit.startLimitIntervalSec; }
      // triggers "X-Reload-Triggers" unit.reloadTriggers
      // triggers "X-Restart-Triggers" unit.restartTriggers
      // lib.optionalAttrs (!unit.stopOnRemoval) { X-StopOnRemoval = false; }
      // unit.unitConfig
    );

  quote = text: builtins.replaceStrings [ "\\" "\"" "%" ] [ "\\\\" "\\\"" "%%" ] text;

  job =
    unit: phase: text:
    "${pkgs.writeScript "unit-script-${builtins.replaceStrings [ "@" "\\" ] [ "-" "-" ] unit}-${phase}" ''
      #!/usr/bin/bash
      set -e
      ${text}
    ''}";
in
{
  # A script phase of a service as a program.
  inherit job;

  service =
    { name, globalEnvironment }:
    unit:
    let
      own = builtins.filter (package: !(package ? deb)) unit.path;
      path = lib.concatMapStrings (package: "${package}/bin:${package}/sbin:") own;
      environment =
        globalEnvironment // unit.environment // lib.optionalAttrs (own != [ ] && !(unit.environment ? PATH)) { PATH = "${path}/usr/bin:/usr/sbin"; };
      lines = lib.concatStrings (
        lib.mapAttrsToList (
          variable: content:
          lib.optionalString (content != null) "Environment=\"${variable}=${quote "${content}"}\"\n"
        ) environment
      );
      phase = key: suffix: text: lib.optionalAttrs (text != "") { ${key} = job name suffix text; };
      scripts =
        lib.optionalAttrs (unit.script != "") { ExecStart = "${job name "start" unit.script} ${unit.scriptArgs}"; }
        // phase "ExecStartPost" "post-start" unit.postStart
        // phase "ExecReload" "reload" unit.reload
        // phase "ExecStop" "pre-stop" unit.preStop
        // phase "ExecStopPost" "post-stop" unit.postStop;
      # A preStart text comes before those of serviceConfig.
      toList = content: if isList content then content else [ content ];
      before = lib.optionalAttrs (unit.preStart != "") {
        ExecStartPre = [ (job name "pre-start" unit.preStart) ] ++ toList (unit.serviceConfig.ExecStartPre or [ ]);
      };
    in
    unitSection unit
    + "\n[Service]\n"
    + lines
    + lib.optionalString (unit.reloadIfChanged) "X-ReloadIfChanged=true\n"
    + lib.optionalString (!unit.reloadIfChanged && !unit.restartIfChanged) "X-RestartIfChanged=false\n"
    + lib.optionalString (!unit.stopIfChanged) "X-StopIfChanged=false\n"
    + lib.optionalString unit.notSocketActivated "X-NotSocketActivated=true\n"
    + keys (scripts // unit.serviceConfig // before);

  target = unitSection;
  socket =
    unit:
    unitSection unit
    + "\n[Socket]\n"
    + lib.concatMapStrings (address: "ListenStream=${address}\n") unit.listenStreams
    + lib.concatMapStrings (address: "ListenDatagram=${address}\n") unit.listenDatagrams
    + keys unit.socketConfig;
  timer = unit: unitSection unit + "\n[Timer]\n" + keys unit.timerConfig;
  path = unit: unitSection unit + "\n[Path]\n" + keys unit.pathConfig;
  slice = unit: unitSection unit + "\n[Slice]\n" + keys unit.sliceConfig;
  mount =
    unit:
    unitSection unit
    + "\n[Mount]\n"
    + keys (
      {
        What = unit.what;
        Where = unit.where;
      }
      // lib.optionalAttrs (unit.type != "") { Type = unit.type; }
      // lib.optionalAttrs (unit.options != "") { Options = unit.options; }
      // unit.mountConfig
    );
  automount = unit: unitSection unit + "\n[Automount]\n" + keys ({ Where = unit.where; } // unit.automountConfig);
  inherit keys;
}
