# Bridges, bonds, VLANs and WireGuard, made by systemd-networkd.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.networking;
  each = function: attributes: lib.concatMapAttrs function attributes;

  # The driver's options under networkd's names.
  bondOption =
    name: value:
    let
      names = {
        mode = "Mode";
        xmit_hash_policy = "TransmitHashPolicy";
        lacp_rate = "LACPTransmitRate";
        miimon = "MIIMonitorSec";
        updelay = "UpDelaySec";
        downdelay = "DownDelaySec";
        ad_select = "AdSelect";
        fail_over_mac = "FailOverMACPolicy";
        arp_validate = "ARPValidate";
        arp_interval = "ARPIntervalSec";
        arp_ip_target = "ARPIPTargets";
        arp_all_targets = "ARPAllTargets";
        primary_reselect = "PrimaryReselectPolicy";
        resend_igmp = "ResendIGMP";
        packets_per_slave = "PacketsPerSlave";
        num_grat_arp = "GratuitousARP";
        all_slaves_active = "AllSlavesActive";
        min_links = "MinLinks";
      };
      key = names.${name} or (throw "networking.bonds: the option '${name}' is not known");
    in
    {
      ${key} = if builtins.elem name [ "miimon" "updelay" "downdelay" "arp_interval" ] then "${value}ms" else value;
    };
  hook = what: forms.lines "Shell text run ${what}.";
  joined = description: mkOption {
    type = types.listOf types.str;
    example = [ "eth0" "eth1" ];
    inherit description;
  };

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
      presharedKey = forms.optional types.str "A key that both know besides. All can read it in the store.";
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
      dynamicEndpointRefreshSeconds = forms.optional types.int "Seconds after which the endpoint's address is looked up anew; null is as for the interface.";
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
      privateKey = forms.optional types.str "The private key. All can read it in the store.";
      privateKeyFile = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "/etc/wireguard/key";
        description = "File with the private key, outside the store and readable by the group systemd-network.";
      };
      dynamicEndpointRefreshSeconds = forms.int 0 "Seconds after which the address of each peer is looked up anew; 0 is never.";
      preSetup = hook "before the interface is made";
      postSetup = hook "when the interface is there";
      preShutdown = hook "before the interface goes";
      postShutdown = hook "when the interface is gone, or goes with the machine";
      generatePrivateKeyFile = forms.bool false "Whether the file is made with a new key when it does not exist; the public key is in a file beside it, ending in `.pub`.";
      allowedIPsAsRoutes = forms.bool true "Whether what a peer may use is sent through the interface.";
      table = mkOption {
        type = types.str;
        default = "main";
        description = "Table of the routes.";
      };
      metric = forms.optional types.int "Metric of the routes.";
      fwMark = forms.optional types.str "Mark of the packets of the tunnel.";
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
            interfaces = joined "Interfaces that the bridge joins.";
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
    bonds = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            interfaces = joined "Interfaces that are used as one.";
            driverOptions = mkOption {
              type = types.attrsOf types.str;
              default = { };
              example = {
                mode = "802.3ad";
                miimon = "100";
              };
              description = "Options of the kernel's driver.";
            };
          };
        }
      );
      default = { };
      description = "Bonds by name.";
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
        // each (name: bond: {
          "40-${name}" = {
            netdevConfig = {
              Name = name;
              Kind = "bond";
            };
            bondConfig = lib.concatMapAttrs bondOption bond.driverOptions;
          };
        }) cfg.bonds
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
        ++ lib.concatLists (
          lib.mapAttrsToList (
            name: bond:
            map (interface: {
              "40-${interface}" = {
                matchConfig.Name = interface;
                networkConfig.DHCP = lib.mkOverride 90 "no";
                networkConfig.Bond = name;
              };
            }) bond.interfaces
          ) cfg.bonds
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
          wireguardConfig =
            (if wireguard.privateKeyFile != null then { PrivateKeyFile = wireguard.privateKeyFile; } else { PrivateKey = wireguard.privateKey; })
          // lib.optionalAttrs (wireguard.fwMark != null) { FirewallMark = wireguard.fwMark; }
          // lib.optionalAttrs (wireguard.listenPort != null) { ListenPort = wireguard.listenPort; };
          wireguardPeers = map (
            entry:
            {
              PublicKey = entry.publicKey;
              AllowedIPs = entry.allowedIPs;
            }
            // lib.optionalAttrs (entry.presharedKey != null) { PresharedKey = entry.presharedKey; }
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
          routes = lib.optionals wireguard.allowedIPsAsRoutes (
            lib.concatMap (
              entry:
              map (
                Destination:
                { inherit Destination; }
                // lib.optionalAttrs (wireguard.table != "main") { Table = wireguard.table; }
                // lib.optionalAttrs (wireguard.metric != null) { Metric = wireguard.metric; }
              ) entry.allowedIPs
            ) wireguard.peers
          );
        };
      }) cfg.wireguard.interfaces;
      system.debian.packages = [ "wireguard-tools" ];
      systemd.services = lib.mapAttrs' (
        name: wireguard:
        lib.nameValuePair "wireguard-${name}-key" {
          description = "Key of the WireGuard interface ${name}";
          wantedBy = [ "systemd-networkd.service" ];
          before = [ "systemd-networkd.service" ];
          unitConfig = {
            DefaultDependencies = false;
            RequiresMountsFor = dirOf wireguard.privateKeyFile;
            ConditionPathExists = "!${wireguard.privateKeyFile}";
          };
          script = ''
            umask 077
            mkdir -p ${lib.escapeShellArg (dirOf wireguard.privateKeyFile)}
            chmod a+x ${lib.escapeShellArg (dirOf wireguard.privateKeyFile)}
            file=${lib.escapeShellArg wireguard.privateKeyFile}
            wg genkey >"$file.new"
            wg pubkey <"$file.new" >"$file.pub"
            chgrp systemd-network "$file.new"
            chmod 640 "$file.new"
            mv "$file.new" "$file"
          '';
          serviceConfig = {
            Type = "oneshot";
            RemainAfterExit = true;
          };
        }
      ) (lib.filterAttrs (_: wireguard: wireguard.generatePrivateKeyFile) cfg.wireguard.interfaces)
      // lib.concatMapAttrs (
        name: wireguard:
        lib.listToAttrs (
          lib.concatMap (
            entry:
            let
              every = if entry.dynamicEndpointRefreshSeconds == null then wireguard.dynamicEndpointRefreshSeconds else entry.dynamicEndpointRefreshSeconds;
            in
            lib.optional (entry.endpoint != null && every != 0) (
              lib.nameValuePair "wireguard-${name}-peer-${builtins.hashString "sha256" entry.publicKey}" {
                description = "Address of the peer ${entry.endpoint} of ${name}";
                wantedBy = [ "sys-subsystem-net-devices-${name}.device" ];
                bindsTo = [ "sys-subsystem-net-devices-${name}.device" ];
                after = [ "sys-subsystem-net-devices-${name}.device" ];
                path = [ pkgs.wireguard-tools ];
                serviceConfig.Restart = "always";
                script = "while sleep ${toString every}; do wg set ${lib.escapeShellArgs [ name "peer" entry.publicKey "endpoint" entry.endpoint ]} || true; done";
              }
            )
          ) wireguard.peers
        )
        // lib.optionalAttrs (wireguard.preSetup != "") {
          "wireguard-${name}-before" = {
            description = "What comes before the WireGuard interface ${name}";
            wantedBy = [ "systemd-networkd.service" ];
            before = [ "systemd-networkd.service" ];
            unitConfig.DefaultDependencies = false;
            serviceConfig = {
              Type = "oneshot";
              RemainAfterExit = true;
            };
            script = wireguard.preSetup;
          };
        }
        // lib.optionalAttrs (wireguard.postSetup + wireguard.preShutdown + wireguard.postShutdown != "") {
          "wireguard-${name}" = {
            description = "What belongs to the WireGuard interface ${name}";
            wantedBy = [ "sys-subsystem-net-devices-${name}.device" ];
            bindsTo = [ "sys-subsystem-net-devices-${name}.device" ];
            after = [ "sys-subsystem-net-devices-${name}.device" ];
            path = [ pkgs.wireguard-tools pkgs.iproute2 ];
            serviceConfig = {
              Type = "oneshot";
              RemainAfterExit = true;
            };
            script = "${wireguard.postSetup}\ntrue";
            preStop = wireguard.preShutdown;
            postStop = wireguard.postShutdown;
          };
        }
      ) cfg.wireguard.interfaces;
      assertions = lib.concatLists (
        lib.mapAttrsToList (name: wireguard: [
          {
            assertion = (wireguard.privateKey == null) != (wireguard.privateKeyFile == null);
            message = "networking.wireguard.interfaces.${name}: either 'privateKeyFile' or 'privateKey' must be set";
          }
          {
            assertion = wireguard.generatePrivateKeyFile -> wireguard.privateKeyFile != null;
            message = "networking.wireguard.interfaces.${name}.generatePrivateKeyFile needs 'privateKeyFile'";
          }
        ]
        ++ map (peer: {
          assertion = peer.presharedKey == null || peer.presharedKeyFile == null;
          message = "networking.wireguard.interfaces.${name}.peers: only one of 'presharedKey' and 'presharedKeyFile' may be set";
        }) wireguard.peers) cfg.wireguard.interfaces
      );
    })
  ];
}
