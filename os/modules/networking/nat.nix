# Network address translation, for machines that give others access to a network.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.networking.nat;
  port = types.submodule {
    options = {
      sourcePort = mkOption {
        type = types.either types.int (types.strMatching "[0-9]+:[0-9]+");
        example = 8080;
        description = "Port of this machine, or a range `FROM:TO`.";
      };
      destination = mkOption {
        type = types.str;
        example = "10.0.0.1:80";
        description = "Address and port it leads to.";
      };
      proto = mkOption {
        type = types.enum [ "tcp" "udp" ];
        default = "tcp";
        description = "The protocol.";
      };
    };
  };
  isV6 = entry: lib.hasPrefix "[" entry.destination;
  from = lib.optionalString (cfg.externalInterface != null) "iifname \"${cfg.externalInterface}\" ";
  out = lib.optionalString (cfg.externalInterface != null) "oifname \"${cfg.externalInterface}\" ";
  forward =
    entry:
    "    ${from}${entry.proto} dport ${lib.replaceString ":" "-" (toString entry.sourcePort)} dnat to ${entry.destination}\n";
  # What is translated: packets from inside, of one family of addresses.
  sourcesOf =
    family: internalIPs:
    lib.optional (cfg.internalInterfaces != [ ]) "iifname { ${lib.concatMapStringsSep ", " (name: "\"${name}\"") cfg.internalInterfaces} }"
    ++ lib.optional (internalIPs != [ ]) "${family} saddr { ${lib.concatStringsSep ", " internalIPs} }";
  # The table of one family of addresses.
  table =
    {
      family,
      forwardPorts,
      dmzHost ? null,
      internalIPs,
      externalIP,
    }:
    let
      translate = out + (if externalIP == null then "masquerade" else "snat to ${externalIP}");
    in
    ''
      table ${family} firn-nat
      delete table ${family} firn-nat
      table ${family} firn-nat {
        chain prerouting {
          type nat hook prerouting priority dstnat;
      ${lib.concatMapStrings forward forwardPorts}${
        lib.optionalString (dmzHost != null) "    ${from}ct state new dnat to ${dmzHost}\n"
      }  }
        chain postrouting {
          type nat hook postrouting priority srcnat;
      ${lib.concatMapStrings (source: "    ${source} ${translate}\n") (sourcesOf family internalIPs)}  }
      }
    '';
in
{
  options.networking.nat = {
    enable = lib.mkEnableOption "network address translation";
    internalInterfaces = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "eth1" ];
      description = "Interfaces of the network whose addresses are translated.";
    };
    internalIPs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "192.168.1.0/24" ];
      description = "Networks whose addresses are translated.";
    };
    externalInterface = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "eth0";
      description = "The interface to the outside.";
    };
    externalIP = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The address outside; null takes the interface's.";
    };
    enableIPv6 = mkOption {
      type = types.bool;
      default = false;
      description = "Whether addresses of IPv6 are translated too.";
    };
    internalIPv6s = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "fc00::/64" ];
      description = "Networks of IPv6 whose addresses are translated.";
    };
    externalIPv6 = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The address of IPv6 outside; null takes the interface's.";
    };
    dmzHost = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "10.0.0.1";
      description = "Machine inside that all else from outside is led to.";
    };
    forwardPorts = mkOption {
      type = types.listOf port;
      default = [ ];
      description = "Ports of this machine that lead to others.";
    };
  };
  config = lib.mkIf cfg.enable {
    boot.kernel.sysctl = {
      "net.ipv4.conf.all.forwarding" = lib.mkOverride 99 true;
      "net.ipv4.conf.default.forwarding" = lib.mkOverride 99 true;
    }
    // lib.optionalAttrs cfg.enableIPv6 {
      "net.ipv6.conf.all.forwarding" = lib.mkOverride 99 true;
      "net.ipv6.conf.default.forwarding" = lib.mkOverride 99 true;
    };
    networking.firewall.extraForwardRules = lib.mkIf config.networking.firewall.filterForward (
      lib.concatMapStrings (source: "${source} ${out}accept\n") (
        lib.unique (sourcesOf "ip" cfg.internalIPs ++ lib.optionals cfg.enableIPv6 (sourcesOf "ip6" cfg.internalIPv6s))
      )
    );
    networking.nftables.ownRuleset =
      table {
        family = "ip";
        forwardPorts = builtins.filter (entry: !isV6 entry) cfg.forwardPorts;
        inherit (cfg) dmzHost internalIPs externalIP;
      }
      + lib.optionalString cfg.enableIPv6 (table {
        family = "ip6";
        forwardPorts = builtins.filter isV6 cfg.forwardPorts;
        internalIPs = cfg.internalIPv6s;
        externalIP = cfg.externalIPv6;
      })
      + "\n";
  };
}
