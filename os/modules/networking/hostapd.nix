# hostapd: makes a wireless card an access point.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.hostapd;
  atom = types.oneOf [ types.bool types.int types.str ];
  free = types.attrsOf (types.either atom (types.listOf atom));
  line =
    name: content:
    if builtins.isList content then
      lib.concatMapStrings (line name) content
    else
      "${name}=${if content == true then "1" else if content == false then "0" else toString content}\n";
  lines = settings: lib.concatStrings (lib.mapAttrsToList line settings);
  widths = {
    "20or40" = 0;
    "80" = 1;
    "160" = 2;
    "80+80" = 3;
  };
  width = forms.of (types.enum [ "20or40" "80" "160" "80+80" ]) "20or40" "Width of its channel in megahertz.";
  keyManagement = {
    none = null;
    wpa2-sha1 = "WPA-PSK";
    wpa2-sha256 = "WPA-PSK-SHA256";
    wpa3-sae-transition = "WPA-PSK-SHA256 SAE";
    wpa3-sae = "SAE";
  };

  password = types.submodule {
    options = {
      password = forms.optional types.str "The password, which all can read in the store.";
      passwordFile = forms.optional types.path "File of the password.";
      mac = forms.optional types.str "The only device that may use it.";
      vlanid = forms.optional types.ints.unsigned "Virtual network of who uses it.";
      pk = forms.optional types.str "Key by which devices know the network.";
      id = forms.optional types.str "Identifier.";
    };
  };
  network = types.submodule (
    { ... }:
    {
      options = {
        ssid = forms.required types.str "Name that devices see.";
        utf8Ssid = forms.bool true "Whether the name is UTF-8.";
        bssid = forms.optional types.str "Hardware address of the network; of all but the first it has to be given or to be derived.";
        group = forms.str "wheel" "The group that may use hostapd_cli.";
        logLevel = forms.of (types.ints.between 0 4) 2 "What is logged; 0 is all.";
        ignoreBroadcastSsid = forms.of (types.enum [ "disabled" "empty" "clear" ]) "disabled" "Whether the name is hidden.";
        apIsolate = forms.bool false "Whether devices do not reach each other.";
        macAcl = forms.of (types.enum [ "deny" "allow" "radius" ]) "deny" "Whether devices of the list are refused, or all others.";
        macAllow = forms.strings "Hardware addresses that are let in.";
        macAllowFile = forms.optional types.path "File of such addresses.";
        macDeny = forms.strings "Hardware addresses that are refused.";
        macDenyFile = forms.optional types.path "File of such addresses.";
        settings = mkOption {
          type = types.submodule { freeformType = free; };
          default = { };
          example.bridge = "br0";
          description = "Further settings of the network; see hostapd.conf.";
        };
        dynamicConfigScripts = forms.attrsOf types.path "Programs that add to the configuration before the start; its file is their argument.";
        authentication = {
          mode = forms.of (types.enum (builtins.attrNames keyManagement)) "wpa3-sae" "How devices show that they know the password.";
          pairwiseCiphers = forms.of (types.listOf types.str) [ "CCMP" ] "Ciphers.";
          enableRecommendedPairwiseCiphers = forms.bool false "Whether there are longer ciphers too.";
          wpaPassword = forms.optional types.str "Password of WPA2, which all can read in the store.";
          wpaPasswordFile = forms.optional types.path "File of that password.";
          wpaPskFile = forms.optional types.path "File with keys of single devices.";
          saePasswords = forms.listOf password "Passwords of WPA3.";
          saePasswordsFile = forms.optional types.path "File with lines of `sae_password`.";
          saeAddToMacAllow = forms.bool false "Whether devices of those passwords are let in by their address.";
        };
      };
    }
  );
  radio = types.submodule {
    options = {
      driver = forms.str "nl80211" "Driver.";
      band = forms.of (types.enum [ "2g" "5g" "6g" "60g" ]) "2g" "Band.";
      channel = forms.of types.ints.unsigned 0 "Channel; 0 is one that is found by looking.";
      countryCode = forms.optional types.str "Country, by which powers and channels are allowed.";
      noScan = forms.bool false "Whether wide channels are used without looking for other networks.";
      settings = mkOption {
        type = types.submodule { freeformType = free; };
        default = { };
        description = "Further settings of the card; see hostapd.conf.";
      };
      dynamicConfigScripts = forms.attrsOf types.path "Programs that add to the configuration before the start; its file is their argument.";
      networks = forms.attrsOf network "Networks by the name of their interface. The first is that of the card itself.";
      wifi4 = {
        enable = forms.bool true "Whether 802.11n is spoken.";
        require = forms.bool false "Whether devices have to speak it.";
        capabilities = forms.of (types.listOf types.str) [ "HT40" "SHORT-GI-20" "SHORT-GI-40" ] "What the card can.";
      };
      wifi5 = {
        enable = forms.bool true "Whether 802.11ac is spoken.";
        require = forms.bool false "Whether devices have to speak it.";
        capabilities = forms.strings "What the card can.";
        operatingChannelWidth = width;
      };
      wifi6 = {
        enable = forms.bool false "Whether 802.11ax is spoken.";
        require = forms.bool false "Whether devices have to speak it.";
        operatingChannelWidth = width;
        singleUserBeamformer = forms.bool false "Whether beams are formed for one device.";
        singleUserBeamformee = forms.bool false "Whether beams of one device are taken.";
        multiUserBeamformer = forms.bool false "Whether beams are formed for several devices.";
      };
    };
  };

  brackets = lib.concatMapStrings (name: "[${name}]");
  radioSettings =
    name: card:
    {
      inherit (card) driver channel;
      hw_mode = { "2g" = "g"; "5g" = "a"; "6g" = "a"; "60g" = "ad"; }.${card.band};
      wmm_enabled = card.wifi4.enable;
    }
    // lib.optionalAttrs (card.countryCode != null) {
      country_code = card.countryCode;
      ieee80211d = true;
      ieee80211h = true;
    }
    // lib.optionalAttrs card.wifi4.enable {
      ieee80211n = true;
      require_ht = card.wifi4.require;
      ht_capab = brackets card.wifi4.capabilities;
    }
    # Only bands above 2.4 GHz have it.
    // lib.optionalAttrs (card.wifi5.enable && card.band != "2g") {
      ieee80211ac = true;
      require_vht = card.wifi5.require;
      vht_capab = brackets card.wifi5.capabilities;
      vht_oper_chwidth = widths.${card.wifi5.operatingChannelWidth};
    }
    // lib.optionalAttrs card.wifi6.enable {
      ieee80211ax = true;
      require_he = card.wifi6.require;
      he_oper_chwidth = widths.${card.wifi6.operatingChannelWidth};
      he_su_beamformer = card.wifi6.singleUserBeamformer;
      he_su_beamformee = card.wifi6.singleUserBeamformee;
      he_mu_beamformer = card.wifi6.multiUserBeamformer;
    }
    // card.settings;
  networkSettings =
    entry:
    let
      auth = entry.authentication;
    in
    {
      inherit (entry) ssid;
      utf8_ssid = entry.utf8Ssid;
      logger_syslog = -1;
      logger_syslog_level = entry.logLevel;
      logger_stdout = -1;
      logger_stdout_level = entry.logLevel;
      ctrl_interface = "/run/hostapd";
      ctrl_interface_group = entry.group;
      ignore_broadcast_ssid = { disabled = 0; empty = 1; clear = 2; }.${entry.ignoreBroadcastSsid};
      ap_isolate = entry.apIsolate;
      macaddr_acl = { deny = 0; allow = 1; radius = 2; }.${entry.macAcl};
      auth_algs = 1;
    }
    // lib.optionalAttrs (entry.bssid != null) { inherit (entry) bssid; }
    // lib.optionalAttrs (auth.mode != "none") {
      wpa = 2;
      wpa_key_mgmt = keyManagement.${auth.mode};
      rsn_pairwise = lib.concatStringsSep " " (
        lib.unique (auth.pairwiseCiphers ++ lib.optionals auth.enableRecommendedPairwiseCiphers [ "CCMP" "CCMP-256" "GCMP" "GCMP-256" ])
      );
    }
    // lib.optionalAttrs (auth.mode == "wpa3-sae") { ieee80211w = 2; }
    // lib.optionalAttrs (auth.mode == "wpa3-sae-transition") {
      ieee80211w = 1;
      sae_require_mfp = true;
    }
    // lib.optionalAttrs (auth.wpaPskFile != null) { wpa_psk_file = auth.wpaPskFile; }
    // entry.settings;

  saeEnd =
    entry:
    lib.concatStrings (
      lib.mapAttrsToList (key: content: lib.optionalString (content != null) "|${key}=${toString content}") {
        inherit (entry) mac vlanid pk id;
      }
    );
  # What is in files, or in other lists, is added at the start.
  secrets =
    radioName: name: entry:
    let
      auth = entry.authentication;
      here = "/run/hostapd/${radioName}.conf";
      list = kind: "/run/hostapd/${name}.${kind}";
      addresses =
        kind: given: file: more:
        lib.optionalString (given != [ ] || file != null || more != [ ]) ''
          printf '%s\n' ${lib.escapeShellArgs (given ++ more)} >${list kind}
          ${lib.optionalString (file != null) "cat ${lib.escapeShellArg file} >>${list kind}"}
          echo ${if kind == "allow" then "accept" else "deny"}_mac_file=${list kind} >>${here}
        '';
      devices = lib.optionals auth.saeAddToMacAllow (map (each: each.mac) (builtins.filter (each: each.mac != null) auth.saePasswords));
    in
    addresses "allow" entry.macAllow entry.macAllowFile devices
    + addresses "deny" entry.macDeny entry.macDenyFile [ ]
    + lib.optionalString (auth.wpaPassword != null) "printf 'wpa_passphrase=%s\\n' ${lib.escapeShellArg auth.wpaPassword} >>${here}\n"
    + lib.optionalString (auth.wpaPasswordFile != null) "printf 'wpa_passphrase=%s\\n' \"$(cat ${lib.escapeShellArg auth.wpaPasswordFile})\" >>${here}\n"
    + lib.concatMapStrings (
      each:
      "printf 'sae_password=%s%s\\n' ${
        if each.passwordFile != null then "\"$(cat ${lib.escapeShellArg each.passwordFile})\"" else lib.escapeShellArg each.password
      } ${lib.escapeShellArg (saeEnd each)} >>${here}\n"
    ) auth.saePasswords
    + lib.optionalString (auth.saePasswordsFile != null) "sed '/^sae_password=/!s/^/sae_password=/' ${lib.escapeShellArg auth.saePasswordsFile} >>${here}\n"
    + lib.concatMapStrings (program: "${program} ${here}\n") (builtins.attrValues entry.dynamicConfigScripts);
  radioScript =
    name: card:
    let
      first = card.networks.${name} or null;
      others = removeAttrs card.networks [ name ];
      part = text: file: "cat ${pkgs.writeText file text} >>/run/hostapd/${name}.conf\n";
    in
    "install -m 600 /dev/null /run/hostapd/${name}.conf\n"
    + part ("interface=${name}\n" + lines (radioSettings name card)) "hostapd-${name}.conf"
    + lib.concatMapStrings (program: "${program} /run/hostapd/${name}.conf\n") (builtins.attrValues card.dynamicConfigScripts)
    + lib.optionalString (first != null) (part (lines (networkSettings first)) "hostapd-${name}-network.conf" + secrets name name first)
    + lib.concatStrings (
      lib.mapAttrsToList (
        other: entry: part ("bss=${other}\n" + lines (networkSettings entry)) "hostapd-${other}.conf" + secrets name other entry
      ) others
    );
  devices = map (name: "sys-subsystem-net-devices-${lib.replaceStrings [ "-" ] [ "\\x2d" ] name}.device") (builtins.attrNames cfg.radios);
in
{
  options.services.hostapd = {
    enable = lib.mkEnableOption "hostapd, which makes a wireless card an access point";
    package = forms.package "hostapd";
    radios = mkOption {
      type = types.attrsOf radio;
      default = { };
      example = lib.literalExpression ''
        {
          wlan0 = {
            countryCode = "CH";
            networks.wlan0 = {
              ssid = "home";
              authentication.saePasswords = [ { passwordFile = "/etc/secrets/wifi"; } ];
            };
          };
        }
      '';
      description = "Wireless cards by the name of their interface.";
    };
  };
  config = lib.mkIf cfg.enable {
    assertions =
      [
        {
          assertion = cfg.radios != { };
          message = "services.hostapd.radios has to name a card";
        }
      ]
      ++ lib.concatLists (
        lib.mapAttrsToList (
          name: card:
          [
            {
              assertion = card.networks ? ${name};
              message = "services.hostapd.radios.${name}.networks has to have the network '${name}': that of the card itself";
            }
          ]
          ++ lib.concatLists (
            lib.mapAttrsToList (
              network: entry:
              let
                auth = entry.authentication;
                sae = auth.saePasswords != [ ] || auth.saePasswordsFile != null;
                wpa = auth.wpaPassword != null || auth.wpaPasswordFile != null || auth.wpaPskFile != null;
                place = "services.hostapd.radios.${name}.networks.${network}.authentication";
              in
              [
                {
                  assertion = !card.noScan;
                  message = "services.hostapd.radios.${name}.noScan: Debian's hostapd always looks for other networks";
                }
                {
                  assertion = auth.mode == "wpa3-sae" || auth.mode == "wpa3-sae-transition" -> sae;
                  message = "${place}: mode ${auth.mode} needs saePasswords or saePasswordsFile";
                }
                {
                  assertion = auth.mode == "wpa2-sha1" || auth.mode == "wpa2-sha256" || auth.mode == "wpa3-sae-transition" -> wpa;
                  message = "${place}: mode ${auth.mode} needs wpaPassword, wpaPasswordFile or wpaPskFile";
                }
                {
                  assertion = builtins.all (each: (each.password == null) != (each.passwordFile == null)) auth.saePasswords;
                  message = "${place}.saePasswords: each has either a password or a passwordFile";
                }
              ]
            ) card.networks
          )
        ) cfg.radios
      );
    system.debian.packages = [ cfg.package.deb "iw" ];
    system.debian.excludeEtc = [ "hostapd" ];
    systemd.services.hostapd = {
      description = "Access point";
      documentation = [ "man:hostapd(8)" ];
      wantedBy = [ "multi-user.target" ];
      after = devices;
      bindsTo = devices;
      preStart = lib.concatStrings (lib.mapAttrsToList radioScript cfg.radios);
      serviceConfig = {
        ExecStart = "/usr/sbin/hostapd ${lib.concatMapStringsSep " " (name: "/run/hostapd/${name}.conf") (builtins.attrNames cfg.radios)}";
        ExecReload = "kill -HUP $MAINPID";
        Restart = "always";
        RuntimeDirectory = "hostapd";
        UMask = "0077";
        ProtectHome = true;
        ProtectSystem = "strict";
        # hostapd_cli is answered at a socket in /tmp.
        PrivateTmp = false;
        NoNewPrivileges = true;
      };
    };
  };
}
