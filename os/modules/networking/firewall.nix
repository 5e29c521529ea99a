# The firewall: incoming connections only to the ports that services open; nftables.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.networking.firewall;
  range = types.submodule {
    options = {
      from = mkOption {
        type = types.port;
        description = "First port.";
      };
      to = mkOption {
        type = types.port;
        description = "Last port.";
      };
    };
  };
  ports = {
    allowedTCPPorts = mkOption {
      type = types.listOf types.port;
      default = [ ];
      apply = list: lib.unique (lib.sort (a: b: a < b) list);
      example = [ 22 80 ];
      description = "TCP ports to which connections are accepted.";
    };
    allowedTCPPortRanges = mkOption {
      type = types.listOf range;
      default = [ ];
      description = "Ranges of TCP ports to which connections are accepted.";
    };
    allowedUDPPorts = mkOption {
      type = types.listOf types.port;
      default = [ ];
      apply = list: lib.unique (lib.sort (a: b: a < b) list);
      description = "UDP ports at which packets are accepted.";
    };
    allowedUDPPortRanges = mkOption {
      type = types.listOf range;
      default = [ ];
      description = "Ranges of UDP ports at which packets are accepted.";
    };
  };
  set =
    single: ranges:
    lib.concatStringsSep ", " (map toString single ++ map (entry: "${toString entry.from}-${toString entry.to}") ranges);
  accept =
    prefix: entry:
    let
      tcp = set entry.allowedTCPPorts entry.allowedTCPPortRanges;
      udp = set entry.allowedUDPPorts entry.allowedUDPPortRanges;
    in
    lib.optionalString (tcp != "") "    ${prefix}tcp dport { ${tcp} } accept\n"
    + lib.optionalString (udp != "") "    ${prefix}udp dport { ${udp} } accept\n";
  tables = lib.filterAttrs (_: table: table.enable) config.networking.nftables.tables;
  table = types.submodule (
    { name, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the table is made.";
        };
        name = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          description = "Its name.";
        };
        family = mkOption {
          type = types.enum [ "ip" "ip6" "inet" "arp" "bridge" "netdev" ];
          description = "The packets that it sees.";
        };
        content = mkOption {
          type = types.lines;
          description = "Its chains.";
        };
      };
    }
  );
  quoted = lib.concatMapStringsSep ", " (name: "\"${name}\"");

  nftables = config.networking.nftables;
  rules = ''
    ${lib.optionalString nftables.flushRuleset "flush ruleset"}
    ${lib.optionalString cfg.enable filter}
    ${nftables.ownRuleset}
    ${lib.concatStrings (
      lib.mapAttrsToList (
        _: entry:
        "table ${entry.family} ${entry.name}\ndelete table ${entry.family} ${entry.name}\ntable ${entry.family} ${entry.name} {\n${entry.content}\n}\n"
      ) tables
    )}
    ${nftables.ruleset}
    ${lib.optionalString (nftables.rulesetFile != null) "include \"${nftables.rulesetFile}\""}
  '';
  filter = ''
    table inet firn-firewall
    delete table inet firn-firewall
    table inet firn-firewall {
      ${lib.optionalString (cfg.checkReversePath != false) ''
        chain rpfilter {
          type filter hook prerouting priority mangle + 10; policy drop;
          meta nfproto ipv4 udp sport . udp dport { 67 . 68, 68 . 67 } accept
          fib saddr . mark${lib.optionalString (cfg.checkReversePath != "loose") " . iif"} oif exists accept
          ${lib.optionalString cfg.logReversePathDrops "log level info prefix \"rpfilter drop: \""}
        }
      ''}
      chain input {
        type filter hook input priority filter; policy drop;
        iifname { ${quoted (lib.unique ([ "lo" ] ++ cfg.trustedInterfaces))} } accept
        ct state vmap { invalid : drop, established : accept, related : accept, new : jump input-allow, untracked : jump input-allow }
        ${lib.optionalString cfg.logRefusedPackets ''log level info prefix "refused packet: "''}
        ${lib.optionalString cfg.logRefusedConnections ''tcp flags syn / fin,syn,rst,ack log level info prefix "refused connection: "''}
        ${lib.optionalString cfg.rejectPackets "meta l4proto tcp reject with tcp reset\n    reject"}
      }
      chain input-allow {
    ${accept "" cfg}${lib.concatStrings (lib.mapAttrsToList (name: entry: accept "iifname \"${name}\" " entry) cfg.interfaces)}${
      lib.optionalString cfg.allowPing "    icmp type echo-request ${lib.optionalString (cfg.pingLimit != null) "limit rate ${cfg.pingLimit} "}accept\n    icmpv6 type echo-request accept\n"
    }    icmpv6 type != { nd-redirect, 139 } accept
        ip6 daddr fe80::/64 udp dport 546 accept
        ${cfg.extraInputRules}
      }
      ${lib.optionalString cfg.filterForward ''
        chain forward {
          type filter hook forward priority filter; policy drop;
          ct state vmap { invalid : drop, established : accept, related : accept, new : jump forward-allow, untracked : jump forward-allow }
        }
        chain forward-allow {
          icmpv6 type != { router-renumbering, 139 } accept
          ct status dnat accept
          ${cfg.extraForwardRules}
        }
      ''}
    }
  '';
in
{
  options.networking = {
    firewall = ports // {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the firewall is on.";
      };
      allowPing = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the machine answers to ping.";
      };
      pingLimit = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "2/second burst 5 packets";
        description = "Limit of answers to ping, in nftables' form.";
      };
      extraCommands = mkOption {
        type = types.lines;
        default = "";
        description = "Commands of iptables. There are none: see {option}`networking.firewall.extraInputRules`.";
      };
      extraStopCommands = mkOption {
        type = types.lines;
        default = "";
        description = "Commands of iptables when the firewall is stopped. There are none.";
      };
      rejectPackets = mkOption {
        type = types.bool;
        default = false;
        description = "Whether refused packets are answered instead of dropped.";
      };
      logRefusedConnections = mkOption {
        type = types.bool;
        default = true;
        description = "Whether refused connections are logged.";
      };
      trustedInterfaces = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Interfaces from which everything is accepted.";
      };
      logRefusedPackets = mkOption {
        type = types.bool;
        default = false;
        description = "Whether all refused packets are logged.";
      };
      checkReversePath = mkOption {
        type = types.either types.bool (types.enum [ "strict" "loose" ]);
        default = false;
        description = ''
          Whether packets are refused whose sender would be answered by another interface (`true` or `strict`), or by none (`loose`).
        '';
      };
      logReversePathDrops = mkOption {
        type = types.bool;
        default = false;
        description = "Whether such packets are logged.";
      };
      filterForward = mkOption {
        type = types.bool;
        default = false;
        description = "Whether packets between networks are refused unless {option}`networking.firewall.extraForwardRules` accepts them.";
      };
      extraForwardRules = mkOption {
        type = types.lines;
        default = "";
        example = "iifname wg0 accept";
        description = "Rules of nftables that accept packets between networks.";
      };
      extraInputRules = mkOption {
        type = types.lines;
        default = "";
        example = "ip saddr 10.0.0.0/8 tcp dport 5432 accept";
        description = "Rules of nftables added to those that accept.";
      };
      interfaces = mkOption {
        type = types.attrsOf (types.submodule { options = ports; });
        default = { };
        description = "Ports that are open on one interface only.";
      };
    };
    nftables = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Has to be on: the firewall is always nftables'.";
      };
      tables = mkOption {
        type = types.attrsOf table;
        default = { };
        description = "Further tables by name.";
      };
      rulesetFile = mkOption {
        type = types.nullOr types.path;
        default = null;
        description = "File with further tables.";
      };
      ruleset = mkOption {
        type = types.lines;
        default = "";
        description = "Further tables.";
      };
      ownRuleset = mkOption {
        type = types.lines;
        default = "";
        internal = true;
        description = "Tables of other modules, each of which is deleted before it is made.";
      };
      flushRuleset = mkOption {
        type = types.bool;
        default = nftables.ruleset != "" || nftables.rulesetFile != null;
        defaultText = "whether 'ruleset' or 'rulesetFile' is set";
        description = "Whether all tables are deleted when the rules are loaded again. Otherwise those of `ruleset` are added to what is there.";
      };
    };
  };

  config = lib.mkMerge [
    {
      assertions =
    map
      (name: {
        assertion = cfg.${name} == "";
        message = "networking.firewall.${name}: the firewall is nftables', which has no iptables commands; set extraInputRules, extraForwardRules or networking.nftables.tables";
      })
      [
        "extraCommands"
        "extraStopCommands"
      ];
    }
    (lib.mkIf (cfg.enable || nftables.ownRuleset != "" || tables != { } || nftables.ruleset != "" || nftables.rulesetFile != null) {
    system.debian.packages = [ "nftables" ];
    boot.kernelModules = [ "nf_tables" ];
    environment.etc."nftables.conf".text = rules;
    assertions = [
      {
        assertion = cfg.extraForwardRules == "" || cfg.filterForward;
        message = "networking.firewall.extraForwardRules: packets between networks are not refused without 'filterForward'";
      }
    ];
    systemd.services.nftables = {
      description = "Firewall";
      documentation = [ "man:nft(8)" ];
      wantedBy = [ "sysinit.target" ];
      wants = [ "network-pre.target" ];
      before = [
        "network-pre.target"
        "shutdown.target"
      ];
      after = [ "systemd-modules-load.service" ];
      conflicts = [ "shutdown.target" ];
      reloadTriggers = [ config.environment.etc."nftables.conf".text ];
      unitConfig = {
        DefaultDependencies = false;
        ConditionCapability = "CAP_NET_ADMIN";
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        StandardInput = "null";
        ProtectSystem = "full";
        ProtectHome = true;
        ExecStart = "/usr/sbin/nft -f /etc/nftables.conf";
        ExecReload = "/usr/sbin/nft -f /etc/nftables.conf";
        ExecStop = if nftables.flushRuleset then "/usr/sbin/nft flush ruleset" else "-/usr/sbin/nft delete table inet firn-firewall";
      };
    };
  })
  ];
}
