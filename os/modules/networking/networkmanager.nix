# NetworkManager: networks that people choose, wireless ones above all.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.networking.networkmanager;
  atom = types.nullOr (types.oneOf [ types.bool types.int types.float types.str ]);
  ini = types.attrsOf (types.attrsOf atom);
  value = content: if builtins.isBool content then lib.boolToString content else toString content;
  iniText =
    sections:
    lib.concatStrings (
      lib.mapAttrsToList (
        name: keys:
        let
          given = lib.filterAttrs (_: content: content != null) keys;
        in
        lib.optionalString (given != { }) (
          "[${name}]\n" + lib.concatStrings (lib.mapAttrsToList (key: content: "${key}=${value content}\n") given) + "\n"
        )
      ) sections
    );
  settings = lib.recursiveUpdate {
    main = {
      plugins = "keyfile";
      inherit (cfg) dhcp dns;
      rc-manager = "unmanaged";
    };
    keyfile.unmanaged-devices = if cfg.unmanaged == [ ] then null else lib.concatStringsSep ";" cfg.unmanaged;
    logging.level = cfg.logLevel;
    connection = cfg.connectionConfig;
    device = {
      "wifi.scan-rand-mac-address" = cfg.wifi.scanRandMacAddress;
      "wifi.backend" = cfg.wifi.backend;
    };
  } cfg.settings;
  text = iniText settings;
  address =
    extra: description:
    mkOption {
      type = types.str;
      default = "preserve";
      example = "00:11:22:33:44:55";
      description = "${description}: an address, or permanent, preserve, random, stable${extra}.";
    };
  directories = {
    basic = "";
    pre-up = "pre-up.d/";
    pre-down = "pre-down.d/";
  };
in
{
  options.networking.networkmanager = {
    enable = lib.mkEnableOption "NetworkManager. Members of the group `networkmanager` may change the network";
    package = forms.package "network-manager";
    plugins = forms.packages "Packages with kinds of connections.";
    connectionConfig = forms.of (types.attrsOf atom) { } "Defaults of connections.";
    settings = forms.of ini { } "Settings of NetworkManager.conf(5) by section; they go before those that options make.";
    unmanaged = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "interface-name:eth1" ];
      description = "Devices that are left alone.";
    };
    logLevel = forms.of (types.enum [ "OFF" "ERR" "WARN" "INFO" "DEBUG" "TRACE" ]) "WARN" "How much is logged.";
    dhcp = forms.of (types.enum [ "internal" ]) "internal" "The client of DHCP: its own.";
    dns = mkOption {
      type = types.enum [ "default" "dnsmasq" "systemd-resolved" "none" ];
      default = if config.services.resolved.enable then "systemd-resolved" else "default";
      defaultText = "systemd-resolved when that is on";
      description = "Who is told of servers of names.";
    };
    ethernet.macAddress = address "" "Hardware address of cards";
    wifi = {
      macAddress = address " or stable-ssid" "Hardware address of wireless cards";
      backend = forms.of (types.enum [ "wpa_supplicant" "iwd" ]) "wpa_supplicant" "Program that speaks with wireless cards.";
      powersave = forms.optional types.bool "Whether wireless cards save power.";
      scanRandMacAddress = forms.bool true "Whether the address is another while networks are looked for.";
    };
    dispatcherScripts = forms.listOf (
      types.submodule {
        options = {
          source = forms.required types.path "The program.";
          type = forms.of (types.enum (builtins.attrNames directories)) "basic" "When it is run.";
        };
      }
    ) "Programs that are run when connections change; see NetworkManager-dispatcher(8).";
    ensureProfiles = {
      profiles = mkOption {
        type = types.attrsOf (
          types.submodule {
            freeformType = ini;
            options.connection = mkOption {
              type = types.submodule {
                freeformType = types.attrsOf atom;
                options = {
                  id = forms.required types.str "Name of the connection.";
                  type = forms.required types.str "Kind of the connection.";
                };
              };
              description = "What the connection is.";
            };
          }
        );
        default = { };
        example = lib.literalExpression ''
          {
            home = {
              connection = { id = "home"; type = "wifi"; };
              wifi.ssid = "home";
              wifi-security = { key-mgmt = "wpa-psk"; psk = "$HOME_PSK"; };
            };
          }
        '';
        description = "Connections by name, as files of nm-settings-keyfile(5).";
      };
      environmentFiles = mkOption {
        type = types.listOf types.path;
        default = [ ];
        example = [ "/etc/network-secrets" ];
        description = "Files with variables that profiles name as `$NAME`.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    networking = {
      useDHCP = false;
      networkmanager.connectionConfig = {
        "ethernet.cloned-mac-address" = cfg.ethernet.macAddress;
        "wifi.cloned-mac-address" = cfg.wifi.macAddress;
        "wifi.powersave" = if cfg.wifi.powersave == null then null else if cfg.wifi.powersave then 3 else 2;
      };
    };
    security.polkit = {
      enable = true;
      extraConfig = ''
        polkit.addRule(function(action, subject) {
          if (subject.isInGroup("networkmanager") && action.id.indexOf("org.freedesktop.NetworkManager.") == 0) return polkit.Result.YES;
        });
      '';
    };
    users.groups.networkmanager = { };
    system.debian.packages =
      [ cfg.package.deb (if cfg.wifi.backend == "iwd" then "iwd" else "wpasupplicant") "gettext-base" ]
      ++ lib.optional (cfg.dns == "dnsmasq") "dnsmasq-base";
    environment.systemPackages = cfg.plugins;
    environment.etc = {
      "NetworkManager/NetworkManager.conf".text = text;
    }
    // lib.listToAttrs (
      lib.imap1 (
        index: script:
        lib.nameValuePair "NetworkManager/dispatcher.d/${directories.${script.type}}90-script-${toString index}" {
          inherit (script) source;
          # It runs only what is root's own.
          mode = "0544";
        }
      ) cfg.dispatcherScripts
    );
    systemd.network.wait-online.enable = lib.mkDefault false;
    systemd.tmpfiles.rules = [ "d /etc/NetworkManager/system-connections 0700 root root - -" ];
    systemd.services = {
      NetworkManager = {
        wantedBy = [ "multi-user.target" ];
        aliases = [ "dbus-org.freedesktop.NetworkManager.service" ];
        restartTriggers = [ text ];
        serviceConfig.StateDirectory = "NetworkManager";
      };
      NetworkManager-wait-online.wantedBy = [ "network-online.target" ];
      NetworkManager-dispatcher.aliases = [ "dbus-org.freedesktop.nm-dispatcher.service" ];
      wpa_supplicant = lib.mkIf (cfg.wifi.backend == "wpa_supplicant") {
        aliases = [ "dbus-fi.w1.wpa_supplicant1.service" ];
      };
      iwd = lib.mkIf (cfg.wifi.backend == "iwd") { wantedBy = [ "multi-user.target" ]; };
      NetworkManager-ensure-profiles = lib.mkIf (cfg.ensureProfiles.profiles != { }) {
        description = "Declared connections of NetworkManager";
        wantedBy = [ "multi-user.target" ];
        before = [ "network-online.target" ];
        after = [ "NetworkManager.service" ];
        script = ''
          mkdir -p /run/NetworkManager/system-connections
          ${lib.concatStrings (
            lib.mapAttrsToList (
              name: profile:
              "envsubst <${pkgs.writeText "profile" (iniText profile)} >/run/NetworkManager/system-connections/${lib.escapeShellArg name}.nmconnection\n"
            ) cfg.ensureProfiles.profiles
          )}
          # It is there a little later than its name on the bus.
          for _ in {1..100}; do
            if nmcli connection reload 2>/dev/null; then exit 0; fi
            sleep 0.1
          done
          nmcli connection reload
        '';
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          UMask = "0177";
          EnvironmentFile = map toString cfg.ensureProfiles.environmentFiles;
        };
      };
    };
  };
}
