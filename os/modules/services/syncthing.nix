# Syncthing: keeps directories of several machines equal.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.syncthing;
  settings = cfg.settings;
  devices = lib.mapAttrsToList (_: device: removeAttrs device [ "id" ] // { deviceID = device.id; }) settings.devices;
  folders = lib.mapAttrsToList (
    _: folder:
    removeAttrs folder [ "enable" "versioning" ]
    // {
      devices = map (
        device: if builtins.isString device then { deviceID = settings.devices.${device}.id; } else removeAttrs device [ "name" ] // { deviceID = settings.devices.${device.name}.id; }
      ) folder.devices;
    }
    // lib.optionalAttrs (folder.versioning != null) { inherit (folder) versioning; }
  ) (lib.filterAttrs (_: folder: folder.enable) settings.folders);
  # What the running server is told, in this order: machines come before the directories that they have.
  calls =
    map (body: { method = "POST"; path = "devices"; inherit body; }) devices
    ++ map (body: { method = "POST"; path = "folders"; inherit body; }) folders
    ++ lib.mapAttrsToList (path: body: { method = "PATCH"; inherit path body; }) (
      lib.filterAttrs (_: body: body != { }) (removeAttrs settings [ "devices" "folders" ])
    );
  # Those that are not declared, and not the machine itself, are taken away.
  prune = kind: id: entries: ''
    call "http://${cfg.guiAddress}/rest/config/${kind}" | jq -r '.[].${id}' | while read -r found; do
      case " $own ${lib.concatMapStringsSep " " (entry: entry.${id}) entries} " in
        *" $found "*) ;;
        *) call -X DELETE "http://${cfg.guiAddress}/rest/config/${kind}/$found" ;;
      esac
    done
  '';
  free = types.submodule { freeformType = types.attrsOf forms.json; };
in
{
  options.services.syncthing = {
    enable = lib.mkEnableOption "Syncthing, which keeps directories of several machines equal";
    package = forms.package "syncthing";
    systemService = forms.bool true "Whether it runs as a service of the machine.";
    user = forms.str "syncthing" "The account as which it runs.";
    group = forms.str "syncthing" "The group as which it runs.";
    dataDir = forms.path "/var/lib/syncthing" "Where directories are made that others offer.";
    configDir = mkOption {
      type = types.path;
      default = cfg.dataDir + "/.config/syncthing";
      defaultText = lib.literalExpression ''config.services.syncthing.dataDir + "/.config/syncthing"'';
      description = "Where its settings and keys are.";
    };
    databaseDir = mkOption {
      type = types.path;
      default = cfg.configDir;
      defaultText = lib.literalExpression "config.services.syncthing.configDir";
      description = "Where it keeps what it knows of files.";
    };
    guiAddress = forms.str "127.0.0.1:8384" "Address of its page.";
    openDefaultPorts = forms.bool false "Whether the firewall lets in what other machines send.";
    all_proxy = forms.optional types.str "Proxy of all connections.";
    extraFlags = forms.strings "Further arguments.";
    cert = forms.optional types.str "File of the certificate by which others know the machine.";
    key = forms.optional types.str "File of its key.";
    overrideDevices = forms.bool true "Whether devices that are not declared are taken away.";
    overrideFolders = forms.bool true "Whether directories that are not declared are taken away.";
    settings = mkOption {
      default = { };
      description = "Settings, as Syncthing's interface has them.";
      type = types.submodule {
        freeformType = types.attrsOf (types.attrsOf forms.json);
        options = {
          options = forms.of free { } "Settings for all.";
          devices = mkOption {
            type = types.attrsOf (
              types.submodule (
                { name, ... }:
                {
                  freeformType = types.attrsOf forms.json;
                  options = {
                    name = forms.str name "Name.";
                    id = forms.required types.str "Its id.";
                    autoAcceptFolders = forms.bool false "Whether directories that it offers are taken.";
                  };
                }
              )
            );
            default = { };
            example.laptop.id = "7CFNTQM-IMTJBHJ-3UWRDIU-ZGQJFR6-VCXZ3NB-XUH3KZO-N52ITXR-LAIYUAU";
            description = "Other machines.";
          };
          folders = mkOption {
            type = types.attrsOf (
              types.submodule (
                { name, ... }:
                {
                  freeformType = types.attrsOf forms.json;
                  options = {
                    enable = forms.bool true "Whether it is kept equal.";
                    id = forms.str name "Name by which other machines know it.";
                    label = forms.str name "Name that is shown.";
                    path = forms.str name "The directory.";
                    type = forms.of (types.enum [ "sendreceive" "sendonly" "receiveonly" "receiveencrypted" ]) "sendreceive" "What is done with changes.";
                    devices = forms.listOf (types.either types.str (types.attrsOf types.str)) "Names of the machines that have it.";
                    versioning = forms.optional free "How files that were changed elsewhere are kept.";
                    copyOwnershipFromParent = forms.bool false "Whether files get the owner of their directory.";
                  };
                }
              )
            );
            default = { };
            description = "Directories.";
          };
        };
      };
    };
  };
  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      {
        environment.systemPackages = [ cfg.package ];
        networking.firewall = lib.mkIf cfg.openDefaultPorts {
          allowedTCPPorts = [ 22000 ];
          allowedUDPPorts = [ 21027 22000 ];
        };
        users.users.syncthing = lib.mkIf (cfg.user == "syncthing") {
          inherit (cfg) group;
          home = cfg.dataDir;
          createHome = true;
          isSystemUser = true;
          description = "Syncthing";
        };
        users.groups.syncthing = lib.mkIf (cfg.group == "syncthing") { };
        assertions = lib.concatLists (
          lib.mapAttrsToList (
            name: folder:
            map (
              device:
              let
                known = if builtins.isString device then device else device.name;
              in
              {
                assertion = settings.devices ? ${known};
                message = "services.syncthing.settings.folders.${name}.devices: there is no device '${known}'";
              }
            ) folder.devices
          ) settings.folders
        );
      }
      (lib.mkIf cfg.systemService {
        systemd.services.syncthing = {
          description = "Syncthing";
          documentation = [ "man:syncthing(1)" ];
          wantedBy = [ "multi-user.target" ];
          after = [ "network.target" ];
          environment = {
            STNORESTART = "yes";
            STNOUPGRADE = "yes";
          }
          // lib.optionalAttrs (cfg.all_proxy != null) { inherit (cfg) all_proxy; };
          preStart = ''
            umask 077
            mkdir -p ${lib.escapeShellArg cfg.configDir}
            ${lib.optionalString (cfg.cert != null) "install -m 400 ${lib.escapeShellArg cfg.cert} ${cfg.configDir}/cert.pem"}
            ${lib.optionalString (cfg.key != null) "install -m 400 ${lib.escapeShellArg cfg.key} ${cfg.configDir}/key.pem"}
          '';
          serviceConfig = {
            User = cfg.user;
            Group = cfg.group;
            ExecStart = "/usr/bin/syncthing serve --no-browser --gui-address=${cfg.guiAddress} --config=${cfg.configDir} --data=${cfg.databaseDir} ${lib.escapeShellArgs cfg.extraFlags}";
            Restart = "on-failure";
            SuccessExitStatus = "3 4";
            RestartForceExitStatus = "3 4";
            NoNewPrivileges = true;
            PrivateTmp = true;
            ProtectControlGroups = true;
            ProtectKernelTunables = true;
            RestrictNamespaces = true;
            RestrictRealtime = true;
          };
        };
      })
      (lib.mkIf (cfg.systemService && calls != [ ]) {
        system.debian.packages = [ "curl" "jq" ];
        systemd.services.syncthing-init = {
          description = "The declared settings of Syncthing";
          wantedBy = [ "multi-user.target" ];
          requisite = [ "syncthing.service" ];
          after = [ "syncthing.service" ];
          serviceConfig = {
            User = cfg.user;
            Type = "oneshot";
            RemainAfterExit = true;
            RuntimeDirectory = "syncthing-init";
            RuntimeDirectoryMode = "0700";
          };
          script = ''
            set -eu
            until key=$(sed -n 's,.*<apikey>\(.*\)</apikey>.*,\1,p' ${cfg.configDir}/config.xml 2>/dev/null) && [ -n "$key" ]; do sleep 0.2; done
            printf 'X-API-Key: %s' "$key" >"$RUNTIME_DIRECTORY/key"
            call() { curl -sSf --insecure --location --retry 200 --retry-delay 1 --retry-all-errors -H "@$RUNTIME_DIRECTORY/key" "$@"; }
            jq -c '.[]' ${pkgs.writeText "syncthing-calls.json" (builtins.toJSON calls)} | while read -r entry; do
              printf %s "$entry" | jq .body | call -X "$(printf %s "$entry" | jq -r .method)" --data @- "http://${cfg.guiAddress}/rest/config/$(printf %s "$entry" | jq -r .path)"
            done
            own=$(call "http://${cfg.guiAddress}/rest/system/status" | jq -r .myID)
            ${lib.optionalString cfg.overrideFolders (prune "folders" "id" folders)}
            ${lib.optionalString cfg.overrideDevices (prune "devices" "deviceID" devices)}
            if call "http://${cfg.guiAddress}/rest/config/restart-required" | jq -e .requiresRestart >/dev/null; then
              call -X POST "http://${cfg.guiAddress}/rest/system/restart"
            fi
          '';
        };
      })
    ]
  );
}
