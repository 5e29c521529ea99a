# Network address translation, for machines that give others access to a network.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.networking.nat;
  quoted = lib.concatMapStringsSep ", " (name: "\"${name}\"");
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
  out6 = lib.optionalString (cfg.externalInterface != null) "oifname \"${cfg.externalInterface}\" ";
  translate6 = if cfg.externalIPv6 == null then "masquerade" else "snat to ${cfg.externalIPv6}";
  isV6 = entry: lib.hasPrefix "[" entry.destination;
  out = lib.optionalString (cfg.externalInterface != null) "oifname \"${cfg.externalInterface}\" ";
  translate = if cfg.externalIP == null then "masquerade" else "snat to ${cfg.externalIP}";
  forward =
    entry:
    "    ${
      lib.optionalString (cfg.externalInterface != null) "iifname \"${cfg.externalInterface}\" "
    }${entry.proto} dport ${lib.replaceString ":" "-" (toString entry.sourcePort)} dnat to ${entry.destination}\n";
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
    networking.nftables.ruleset = ''
      table ip firn-nat
      delete table ip firn-nat
      table ip firn-nat {
        chain prerouting {
          type nat hook prerouting priority dstnat;
      ${lib.concatMapStrings forward (builtins.filter (entry: !isV6 entry) cfg.forwardPorts)}${
        lib.optionalString (cfg.dmzHost != null) "    ${lib.optionalString (cfg.externalInterface != null) "iifname \"${cfg.externalInterface}\" "}ct state new dnat to ${cfg.dmzHost}\n"
      }  }
        chain postrouting {
          type nat hook postrouting priority srcnat;
      ${
        lib.optionalString (
          cfg.internalInterfaces != [ ]
        ) "    iifname { ${quoted cfg.internalInterfaces} } ${out}${translate}\n"
      }${
        lib.optionalString (
          cfg.internalIPs != [ ]
        ) "    ip saddr { ${lib.concatStringsSep ", " cfg.internalIPs} } ${out}${translate}\n"
      }  }
      }
      ${lib.optionalString cfg.enableIPv6 ''
        table ip6 firn-nat
        delete table ip6 firn-nat
        table ip6 firn-nat {
          chain prerouting {
            type nat hook prerouting priority dstnat;
        ${lib.concatMapStrings forward (builtins.filter isV6 cfg.forwardPorts)}  }
          chain postrouting {
            type nat hook postrouting priority srcnat;
        ${lib.optionalString (cfg.internalInterfaces != [ ]) "    iifname { ${quoted cfg.internalInterfaces} } ${out6}${translate6}\n"}${
          lib.optionalString (cfg.internalIPv6s != [ ]) "    ip6 saddr { ${lib.concatStringsSep ", " cfg.internalIPv6s} } ${out6}${translate6}\n"
        }  }
        }
      ''}
    '';
    assertions = [
      {
        assertion = config.networking.firewall.enable;
        message = "networking.nat.enable needs networking.firewall.enable: both are one set of rules";
      }
    ];
  };
}
