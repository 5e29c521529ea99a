# Name resolution by systemd-resolved.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.resolved;
  net = config.networking;
in
{
  options.services.resolved = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether systemd-resolved resolves names; otherwise `/etc/resolv.conf` has {option}`networking.nameservers`.";
    };
    fallbackDns = mkOption {
      type = types.nullOr (types.listOf types.str);
      default = [ ];
      description = "Servers asked when there are no others; null leaves those compiled in.";
    };
    domains = mkOption {
      type = types.listOf types.str;
      default = net.search;
      defaultText = lib.literalExpression "config.networking.search";
      description = "Domains to search.";
    };
    dnssec = mkOption {
      type = types.enum [ "true" "allow-downgrade" "false" ];
      default = "false";
      description = "Whether answers are checked by DNSSEC.";
    };
    dnsovertls = mkOption {
      type = types.enum [ "true" "opportunistic" "false" ];
      default = "false";
      description = "Whether servers are asked over TLS.";
    };
    llmnr = mkOption {
      type = types.enum [ "true" "resolve" "false" ];
      default = "true";
      description = "Whether names are resolved by LLMNR.";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Further lines of resolved.conf(5).";
    };
  };

  config = lib.mkMerge [
    (lib.mkIf cfg.enable {
      system.debian.packages = [
        "libnss-resolve"
        "systemd-resolved"
      ];
      environment.etc = {
        "resolv.conf".source = "/run/systemd/resolve/stub-resolv.conf";
        "systemd/resolved.conf".text = ''
          [Resolve]
          DNSSEC=${cfg.dnssec}
          DNSOverTLS=${cfg.dnsovertls}
          LLMNR=${cfg.llmnr}
          ${lib.optionalString (net.nameservers != [ ]) "DNS=${lib.concatStringsSep " " net.nameservers}\n"}${
            lib.optionalString (cfg.domains != [ ]) "Domains=${lib.concatStringsSep " " cfg.domains}\n"
          }${lib.optionalString (cfg.fallbackDns != null) "FallbackDNS=${lib.concatStringsSep " " cfg.fallbackDns}\n"}${cfg.extraConfig}
        '';
      };
      systemd.services.systemd-resolved = {
        wantedBy = [ "multi-user.target" ];
        aliases = [ "dbus-org.freedesktop.resolve1.service" ];
        stopIfChanged = false;
        restartTriggers = [ config.environment.etc."systemd/resolved.conf".source ];
      };
    })
    (lib.mkIf (!cfg.enable) {
      environment.etc."resolv.conf".text =
        lib.optionalString (net.search != [ ]) "search ${lib.concatStringsSep " " net.search}\n"
        + lib.concatMapStrings (server: "nameserver ${server}\n") (lib.unique net.nameservers);
    })
  ];
}
