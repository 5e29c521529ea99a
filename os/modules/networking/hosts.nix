# Names: of the host, and of hosts it knows.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.networking;
  asksDnsmasq = config.services.dnsmasq.enable && config.services.dnsmasq.resolveLocalQueries;
  databases = config.system.nssDatabases;
  sources = name: lib.concatStringsSep " " databases.${name};
in
{
  options.system.nssDatabases = lib.genAttrs [ "passwd" "group" "shadow" "sudoers" "hosts" "services" ] (
    name:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Where programs look for ${name}, in this order; see nsswitch.conf(5).";
    }
  );
  options.networking = {
    hostName = mkOption {
      type = types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$";
      default = "firn";
      description = "The machine's name; empty takes it from DHCP.";
    };
    domain = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "home.arpa";
      description = "The machine's domain.";
    };
    fqdn = mkOption {
      type = types.str;
      default = if cfg.domain == null then cfg.hostName else "${cfg.hostName}.${cfg.domain}";
      defaultText = "host name and domain";
      description = "The machine's full name.";
    };
    hosts = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      example = {
        "192.168.0.2" = [ "nas" ];
      };
      description = "Names by address, for `/etc/hosts`.";
    };
    extraHosts = mkOption {
      type = types.lines;
      default = "";
      description = "Further lines of `/etc/hosts`.";
    };
  };

  config = {
    system.nssDatabases = {
      passwd = [ "files" "systemd" ];
      group = [ "files [success=merge]" "systemd" ];
      shadow = [ "files" "systemd" ];
      sudoers = [ "files" ];
      hosts = lib.mkMerge [
        # First, so that the machine's own name is the full one.
        (lib.mkOrder 400 [ "files" ])
        (lib.mkIf (config.services.resolved.enable && !asksDnsmasq) (lib.mkOrder 600 [ "resolve [!UNAVAIL=return]" ]))
        (lib.mkOrder 900 [ "myhostname" ])
        (lib.mkOrder 1400 [ "dns" ])
      ];
      services = [ "files" ];
    };
    networking.hosts = {
      "127.0.0.1" = lib.mkAfter [ "localhost" ];
      "::1" = lib.mkAfter [ "localhost" ];
      "127.0.0.2" = lib.mkIf (cfg.hostName != "") (lib.unique [ cfg.fqdn cfg.hostName ]);
    };
    environment.etc = {
      hosts.text =
        lib.concatStrings (
          lib.mapAttrsToList (address: names: lib.optionalString (names != [ ]) "${address} ${lib.concatStringsSep " " names}\n") cfg.hosts
        )
        + cfg.extraHosts;
      hostname = lib.mkIf (cfg.hostName != "") { text = "${cfg.hostName}\n"; };
      "nsswitch.conf".text = ''
        passwd: ${sources "passwd"}
        group: ${sources "group"}
        shadow: ${sources "shadow"}
        gshadow: files systemd
        sudoers: ${sources "sudoers"}
        hosts: ${sources "hosts"}
        networks: files
        ethers: files
        services: ${sources "services"}
        protocols: files
        rpc: files
      '';
    };
    system.debian.packages = [
      "libnss-myhostname"
      "libnss-systemd"
      "netbase"
    ];
    # The host name is the name space's own, also where /proc/sys cannot be written.
    system.activationScripts.hostname = lib.mkIf (cfg.hostName != "") ''
      if [ "$(hostname)" != ${lib.escapeShellArg cfg.hostName} ]; then hostname ${lib.escapeShellArg cfg.hostName} || _failed=1; fi
    '';
  };
}
