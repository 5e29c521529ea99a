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
    };
    networking.nftables.ruleset = ''
      table ip firn-nat
      delete table ip firn-nat
      table ip firn-nat {
        chain prerouting {
          type nat hook prerouting priority dstnat;
      ${lib.concatMapStrings forward cfg.forwardPorts}  }
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
    '';
    assertions = [
      {
        assertion = config.networking.firewall.enable;
        message = "networking.nat.enable needs networking.firewall.enable: both are one set of rules";
      }
    ];
  };
}
