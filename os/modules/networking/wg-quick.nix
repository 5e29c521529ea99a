# WireGuard interfaces by wg-quick, with its commands around them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  interfaces = config.networking.wg-quick.interfaces;
  commands = description: mkOption {
    type = types.coercedTo (types.listOf types.str) (lib.concatStringsSep "\n") types.lines;
    default = "";
    inherit description;
  };
  interface = types.submodule {
    options = {
      configFile = forms.optional types.str "The whole configuration, outside the store, in place of the other options.";
      address = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "10.100.0.2/24" ];
        description = "Addresses of the interface.";
      };
      autostart = forms.bool true "Whether it is there from the start.";
      dns = forms.strings "Servers of names, and domains, while it is there.";
      privateKey = forms.optional types.str "The private key. All can read it in the store.";
      privateKeyFile = forms.optional types.str "File with the private key.";
      generatePrivateKeyFile = forms.bool false "Whether the file is made with a new key when it does not exist.";
      listenPort = forms.optional types.int "UDP port; null takes a free one.";
      mtu = forms.optional types.int "Largest packet in bytes.";
      table = forms.optional types.str "Table of the routes; `off` makes none.";
      preUp = commands "Shell text run before it is made.";
      postUp = commands "Shell text run when it is there.";
      preDown = commands "Shell text run before it goes.";
      postDown = commands "Shell text run when it has gone.";
      peers = forms.listOf (
        types.submodule {
          options = {
            publicKey = forms.required types.str "The peer's public key.";
            presharedKey = forms.optional types.str "A key that both know besides. All can read it in the store.";
            presharedKeyFile = forms.optional types.str "File with such a key.";
            allowedIPs = mkOption {
              type = types.listOf types.str;
              example = [ "10.100.0.0/24" ];
              description = "Addresses that the peer may use, and that are sent to it.";
            };
            endpoint = forms.optional types.str "Where the peer is reached.";
            persistentKeepalive = forms.optional types.int "Seconds after which something is sent.";
          };
        }
      ) "The other ends.";
    };
  };
  line = key: value: lib.optionalString (value != null && value != [ ]) "${key} = ${if builtins.isList value then lib.concatStringsSep ", " value else toString value}\n";
  run = name: when: text: lib.optionalString (text != "") "${when} = ${pkgs.writeShellScript "wg-quick-${name}-${when}" text}\n";
  textOf =
    name: entry:
    "[Interface]\n"
    + line "Address" entry.address
    + line "DNS" entry.dns
    + line "Table" entry.table
    + line "MTU" entry.mtu
    + line "PrivateKey" entry.privateKey
    + line "ListenPort" entry.listenPort
    + run name "PreUp" entry.preUp
    # Keys in files are not part of the text.
    + lib.optionalString (entry.privateKeyFile != null) "PostUp = wg set ${name} private-key ${lib.escapeShellArg entry.privateKeyFile}\n"
    + lib.concatMapStrings (
      peer: lib.optionalString (peer.presharedKeyFile != null) "PostUp = wg set ${name} peer ${peer.publicKey} preshared-key ${lib.escapeShellArg peer.presharedKeyFile}\n"
    ) entry.peers
    + run name "PostUp" entry.postUp
    + run name "PreDown" entry.preDown
    + run name "PostDown" entry.postDown
    + lib.concatMapStrings (
      peer:
      "[Peer]\n"
      + line "PublicKey" peer.publicKey
      + line "PresharedKey" peer.presharedKey
      + line "Endpoint" peer.endpoint
      + line "PersistentKeepalive" peer.persistentKeepalive
      + line "AllowedIPs" peer.allowedIPs
    ) entry.peers;
  # wg-quick takes the interface's name from that of the file.
  fileOf = name: entry: if entry.configFile != null then entry.configFile else "${pkgs.writeTextFile { name = "wg-quick-${name}"; text = textOf name entry; destination = "/${name}.conf"; }}/${name}.conf";
in
{
  options.networking.wg-quick.interfaces = mkOption {
    type = types.attrsOf interface;
    default = { };
    example = lib.literalExpression ''
      {
        wg0 = {
          address = [ "10.100.0.2/24" ];
          privateKeyFile = "/etc/wireguard/key";
          peers = [ { publicKey = "…"; allowedIPs = [ "0.0.0.0/0" ]; endpoint = "vpn.example.org:51820"; } ];
        };
      }
    '';
    description = "WireGuard interfaces by name.";
  };
  config = lib.mkIf (interfaces != { }) {
    system.debian.packages = [ "iproute2" "nftables" "wireguard-tools" ];
    boot.kernelModules = [ "wireguard" ];
    # They are wg-quick's.
    systemd.network.networks = lib.mapAttrs' (
      name: _:
      lib.nameValuePair "10-wg-quick-${name}" {
        matchConfig.Name = name;
        linkConfig.Unmanaged = true;
      }
    ) interfaces;
    systemd.services = lib.mapAttrs' (
      name: entry:
      lib.nameValuePair "wg-quick-${name}" {
        description = "WireGuard interface ${name}";
        documentation = [ "man:wg-quick(8)" ];
        wantedBy = lib.optional entry.autostart "multi-user.target";
        wants = [ "network-online.target" ];
        after = [ "network.target" "network-online.target" ];
        script = ''
          ${lib.optionalString entry.generatePrivateKeyFile ''
            if ! [ -e ${lib.escapeShellArg entry.privateKeyFile} ]; then
              umask 077
              mkdir -p ${lib.escapeShellArg (dirOf entry.privateKeyFile)}
              wg genkey >${lib.escapeShellArg entry.privateKeyFile}
            fi
          ''}
          wg-quick up ${fileOf name entry}
        '';
        preStop = "wg-quick down ${fileOf name entry}";
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
        };
      }
    ) interfaces;
    assertions = lib.mapAttrsToList (name: entry: {
      assertion = entry.configFile != null || (entry.privateKey == null) != (entry.privateKeyFile == null);
      message = "networking.wg-quick.interfaces.${name}: 'configFile', 'privateKeyFile' or 'privateKey' must be set";
    }) interfaces;
  };
}
