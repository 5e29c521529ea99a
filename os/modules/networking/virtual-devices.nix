# Bridges, VLANs and WireGuard, made by systemd-networkd.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.networking;
  each = function: attributes: lib.concatMapAttrs function attributes;

  peer = types.submodule {
    options = {
      name = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "A name, for people.";
      };
      publicKey = mkOption {
        type = types.singleLineStr;
        description = "The peer's public key.";
      };
      presharedKeyFile = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "File with a key that both know besides.";
      };
      allowedIPs = mkOption {
        type = types.listOf types.str;
        example = [ "10.100.0.2/32" ];
        description = "Addresses that the peer may use, and that are sent to it.";
      };
      endpoint = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "vpn.example.org:51820";
        description = "Where the peer is reached.";
      };
      persistentKeepalive = mkOption {
        type = types.nullOr types.int;
        default = null;
        description = "Seconds after which something is sent, so that a firewall between keeps the connection.";
      };
    };
  };
  tunnel = types.submodule {
    options = {
      ips = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "10.100.0.1/24" ];
        description = "Addresses of the interface.";
      };
      privateKeyFile = mkOption {
        type = types.str;
        example = "/etc/wireguard/key";
        description = "File with the private key, outside the store and readable by the group systemd-network.";
      };
      listenPort = mkOption {
        type = types.nullOr types.port;
        default = null;
        description = "UDP port; null takes a free one.";
      };
      mtu = mkOption {
        type = types.nullOr types.int;
        default = null;
        description = "Largest packet in bytes.";
      };
      peers = mkOption {
        type = types.listOf peer;
        default = [ ];
        description = "The other ends.";
      };
    };
  };
in
{
  options.networking = {
    bridges = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            interfaces = mkOption {
              type = types.listOf types.str;
              example = [ "eth0" "eth1" ];
              description = "Interfaces that the bridge joins.";
            };
            rstp = mkOption {
              type = types.bool;
              default = false;
              description = "Whether the spanning tree protocol is used.";
            };
          };
        }
      );
      default = { };
      description = "Bridges by name.";
    };
    vlans = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            id = mkOption {
              type = types.ints.between 0 4094;
              description = "The VLAN's number.";
            };
            interface = mkOption {
              type = types.str;
              example = "eth0";
              description = "The interface that carries it.";
            };
          };
        }
      );
      default = { };
      example = {
        office = {
          id = 12;
          interface = "eth0";
        };
      };
      description = "VLANs by the name of their interface.";
    };
    wireguard = {
      enable = mkOption {
        type = types.bool;
        default = cfg.wireguard.interfaces != { };
        defaultText = lib.literalExpression "config.networking.wireguard.interfaces != { }";
        description = "Whether the WireGuard interfaces are made.";
      };
      interfaces = mkOption {
        type = types.attrsOf tunnel;
        default = { };
        description = "WireGuard interfaces by name.";
      };
    };
  };

  config = lib.mkMerge [
    {
      systemd.network.netdevs =
        each (name: bridge: {
          "40-${name}" = {
            netdevConfig = {
              Name = name;
              Kind = "bridge";
            };
            bridgeConfig.STP = lib.mkIf bridge.rstp true;
          };
        }) cfg.bridges
        // each (name: vlan: {
          "40-${name}" = {
            netdevConfig = {
              Name = name;
              Kind = "vlan";
            };
            vlanConfig.Id = vlan.id;
          };
        }) cfg.vlans;
      # Files of equal name are merged with those that the interfaces' own options make.
      systemd.network.networks = lib.mkMerge (
        lib.concatLists (
          lib.mapAttrsToList (
            name: bridge:
            map (interface: {
              "40-${interface}" = {
                matchConfig.Name = interface;
                networkConfig.DHCP = lib.mkOverride 90 "no";
                bridge = [ name ];
              };
            }) bridge.interfaces
          ) cfg.bridges
        )
        ++ lib.mapAttrsToList (name: vlan: {
          "40-${vlan.interface}" = {
            matchConfig.Name = vlan.interface;
            # What the interface would have without a file of its own.
            networkConfig.DHCP = lib.mkDefault (if cfg.useDHCP then "yes" else "no");
            vlan = [ name ];
          };
        }) cfg.vlans
      );
    }
    (lib.mkIf cfg.wireguard.enable {
      boot.kernelModules = [ "wireguard" ];
      systemd.network.netdevs = each (name: wireguard: {
        "40-${name}" = {
          netdevConfig = {
            Name = name;
            Kind = "wireguard";
          }
          // lib.optionalAttrs (wireguard.mtu != null) { MTUBytes = wireguard.mtu; };
          wireguardConfig = {
            PrivateKeyFile = wireguard.privateKeyFile;
          }
          // lib.optionalAttrs (wireguard.listenPort != null) { ListenPort = wireguard.listenPort; };
          wireguardPeers = map (
            entry:
            {
              PublicKey = entry.publicKey;
              AllowedIPs = entry.allowedIPs;
            }
            // lib.optionalAttrs (entry.presharedKeyFile != null) { PresharedKeyFile = entry.presharedKeyFile; }
            // lib.optionalAttrs (entry.endpoint != null) { Endpoint = entry.endpoint; }
            // lib.optionalAttrs (entry.persistentKeepalive != null) { PersistentKeepalive = entry.persistentKeepalive; }
          ) wireguard.peers;
        };
      }) cfg.wireguard.interfaces;
      systemd.network.networks = each (name: wireguard: {
        "40-${name}" = {
          matchConfig.Name = name;
          address = wireguard.ips;
          # What a peer may use is sent through the interface.
          routes = lib.concatMap (entry: map (Destination: { inherit Destination; }) entry.allowedIPs) wireguard.peers;
        };
      }) cfg.wireguard.interfaces;
    })
  ];
}
