# Network interfaces, addresses, routes; done by systemd-networkd.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.networking;
  address = types.submodule {
    options = {
      address = mkOption {
        type = types.str;
        description = "The address.";
      };
      prefixLength = mkOption {
        type = types.ints.between 0 128;
        description = "Length of the network's prefix.";
      };
    };
  };
  route = types.submodule {
    options = {
      address = mkOption {
        type = types.str;
        description = "The network's address.";
      };
      prefixLength = mkOption {
        type = types.ints.between 0 128;
        description = "Length of the network's prefix.";
      };
      via = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The next hop.";
      };
    };
  };
  family = {
    addresses = mkOption {
      type = types.listOf address;
      default = [ ];
      example = [
        {
          address = "10.0.0.1";
          prefixLength = 16;
        }
      ];
      description = "Addresses of the interface.";
    };
    routes = mkOption {
      type = types.listOf route;
      default = [ ];
      description = "Routes through the interface.";
    };
  };
  interface = types.submodule (
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          description = "The interface's name.";
        };
        useDHCP = mkOption {
          type = types.nullOr types.bool;
          default = null;
          description = "Whether the interface is configured by DHCP; null is {option}`networking.useDHCP` when it has no address.";
        };
        macAddress = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "Hardware address to set.";
        };
        mtu = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "Largest packet in bytes.";
        };
        ipv4 = family;
        ipv6 = family;
      };
    }
  );
  gatewayType = types.nullOr (
    types.coercedTo types.str (text: { address = text; }) (
      types.submodule {
        options = {
          address = mkOption {
            type = types.str;
            description = "The gateway's address.";
          };
          interface = mkOption {
            type = types.nullOr types.str;
            default = null;
            description = "The interface behind which it is.";
          };
          metric = mkOption {
            type = types.nullOr types.int;
            default = null;
            description = "Metric of the route.";
          };
        };
      }
    )
  );
  gateways = builtins.filter (gateway: gateway != null) [ cfg.defaultGateway cfg.defaultGateway6 ];
  interfaces = builtins.attrValues cfg.interfaces;
  hasStatic = entry: entry.ipv4.addresses ++ entry.ipv6.addresses != [ ];
  network =
    entry:
    let
      dhcp = if entry.useDHCP != null then entry.useDHCP else cfg.useDHCP && !(hasStatic entry);
      mine = builtins.filter (
        gateway: gateway.interface == entry.name || (gateway.interface == null && hasStatic entry)
      ) gateways;
    in
    {
      matchConfig.Name = entry.name;
      networkConfig.DHCP = if dhcp then "yes" else "no";
      address = map (a: "${a.address}/${toString a.prefixLength}") (entry.ipv4.addresses ++ entry.ipv6.addresses);
      routes =
        map (
          r:
          {
            Destination = "${r.address}/${toString r.prefixLength}";
          }
          // lib.optionalAttrs (r.via != null) { Gateway = r.via; }
        ) (entry.ipv4.routes ++ entry.ipv6.routes)
        ++ map (
          gateway:
          {
            Gateway = gateway.address;
            GatewayOnLink = gateway.interface != null;
          }
          // lib.optionalAttrs (gateway.metric != null) { Metric = gateway.metric; }
        ) mine;
      linkConfig =
        lib.optionalAttrs (entry.macAddress != null) { MACAddress = entry.macAddress; }
        // lib.optionalAttrs (entry.mtu != null) { MTUBytes = entry.mtu; };
    };
in
{
  options.networking = {
    interfaces = mkOption {
      type = types.attrsOf interface;
      default = { };
      example = lib.literalExpression ''{ eth0.ipv4.addresses = [ { address = "10.0.0.2"; prefixLength = 24; } ]; }'';
      description = "Interfaces by name.";
    };
    useDHCP = mkOption {
      type = types.bool;
      default = true;
      description = "Whether Ethernet interfaces that are not declared are configured by DHCP.";
    };
    useNetworkd = mkOption {
      type = types.bool;
      default = true;
      description = "Has to be on: the network is always systemd-networkd's.";
    };
    nameservers = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "9.9.9.9" ];
      description = "Name servers.";
    };
    search = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Domains in which short names are looked up.";
    };
    defaultGateway = mkOption {
      type = gatewayType;
      default = null;
      example = "10.0.0.1";
      description = "The default gateway.";
    };
    defaultGateway6 = mkOption {
      type = gatewayType;
      default = null;
      description = "The default gateway of IPv6.";
    };
    enableIPv6 = mkOption {
      type = types.bool;
      default = true;
      description = "Whether IPv6 is used.";
    };
  };

  config = {
    systemd.network.enable = lib.mkDefault true;
    systemd.network.networks =
      lib.listToAttrs (map (entry: lib.nameValuePair "40-${entry.name}" (network entry)) interfaces)
      // lib.optionalAttrs cfg.useDHCP {
        "99-ethernet-default-dhcp" = {
          matchConfig = {
            Type = "ether";
            Kind = "!*";
          };
          networkConfig = {
            DHCP = "yes";
            IPv6PrivacyExtensions = "kernel";
          };
        };
      };
    boot.kernel.sysctl = lib.mkIf (!cfg.enableIPv6) {
      "net.ipv6.conf.all.disable_ipv6" = true;
      "net.ipv6.conf.default.disable_ipv6" = true;
    };
    system.debian.packages = [
      "iproute2"
      "iputils-ping"
    ];
    assertions = [
      {
        assertion = gateways == [ ] || builtins.any hasStatic interfaces || builtins.all (gateway: gateway.interface != null) gateways;
        message = "networking.defaultGateway is set, but no interface has an address; name its interface";
      }
    ];
  };
}
