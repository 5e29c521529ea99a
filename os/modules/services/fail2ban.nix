# fail2ban: shuts out addresses from which logins fail again and again.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.fail2ban;
  increment = cfg.bantime-increment;
  atom = types.oneOf [ types.bool types.int types.float types.str ];
  section = types.attrsOf (types.either atom (types.listOf atom));
  ini = types.attrsOf section;
  value =
    content:
    if builtins.isList content then
      lib.concatMapStringsSep "\n  " value content
    else if builtins.isBool content then
      lib.boolToString content
    else
      lib.replaceStrings [ "\n" ] [ "\n  " ] (lib.removeSuffix "\n" (toString content));
  keys = settings: lib.concatStrings (lib.mapAttrsToList (name: content: "${name} = ${value content}\n") settings);
  iniText = sections: lib.concatStrings (lib.mapAttrsToList (name: settings: "[${name}]\n${keys settings}\n") sections);
  jail = types.submodule (
    { name, ... }:
    {
      options = {
        enabled = mkOption {
          type = types.bool;
          default = true;
          readOnly = name == "DEFAULT";
          description = "Whether the jail is on.";
        };
        filter = forms.optional (types.either types.str ini) "Name of the filter, or its text by section.";
        settings = mkOption {
          type = section;
          default = { };
          example = {
            maxretry = 5;
            findtime = 600;
          };
          description = "Settings of the jail; see jail.conf(5).";
        };
      };
    }
  );
  structured = lib.filterAttrs (_: entry: builtins.isAttrs entry) cfg.jails;
  ownFilters = lib.filterAttrs (_: entry: builtins.isAttrs entry.filter) structured;
  jailText =
    name: entry:
    "[${name}]\n"
    + (
      if builtins.isString entry then
        "enabled = true\n${entry}\n"
      else
        lib.optionalString (name != "DEFAULT") "enabled = ${lib.boolToString entry.enabled}\n"
        + lib.optionalString (entry.filter != null) "filter = ${if builtins.isString entry.filter then entry.filter else name}\n"
        + keys entry.settings
        + "\n"
    );
  # What is for all jails comes first.
  jails = jailText "DEFAULT" cfg.jails.DEFAULT + lib.concatStrings (lib.mapAttrsToList jailText (removeAttrs cfg.jails [ "DEFAULT" ]));
  daemon = iniText cfg.daemonSettings;
in
{
  options.services.fail2ban = {
    enable = lib.mkEnableOption "fail2ban, which shuts out addresses from which logins fail again and again";
    package = forms.package "fail2ban";
    packageFirewall = forms.package "nftables";
    extraPackages = forms.packages "Packages that actions use.";
    bantime = forms.str "10m" "How long an address is shut out.";
    maxretry = forms.of types.ints.unsigned 3 "How many failures there may be.";
    banaction = forms.str "nftables-multiport" "The action that shuts out from a jail's ports.";
    banaction-allports = forms.str "nftables-allports" "The action that shuts out from all ports.";
    bantime-increment = {
      enable = forms.bool false "Whether an address that was shut out before is shut out for longer.";
      rndtime = forms.optional types.str "Time of which a random part is added.";
      maxtime = forms.optional types.str "Longest time.";
      factor = forms.optional types.str "Factor of the growth.";
      formula = forms.optional types.str "Formula of the growth.";
      multipliers = forms.optional types.str "Factors one after the other, in place of a formula.";
      overalljails = forms.optional types.bool "Whether other jails count too.";
    };
    ignoreIP = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "192.168.0.0/16" ];
      description = "Addresses, networks and hosts that are never shut out.";
    };
    daemonSettings = forms.of ini { } "Settings of the program itself, by section; see fail2ban.conf.";
    jails = mkOption {
      type = types.attrsOf (types.either types.lines jail);
      default = { };
      example = lib.literalExpression ''{ nginx-http-auth.settings.maxretry = 5; }'';
      description = "Jails by name: what is looked for where, and what is done. That of sshd is there when the server is.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.fail2ban = {
      daemonSettings.Definition = lib.mapAttrs (_: lib.mkDefault) {
        logtarget = "SYSLOG";
        socket = "/run/fail2ban/fail2ban.sock";
        pidfile = "/run/fail2ban/fail2ban.pid";
        dbfile = "/var/lib/fail2ban/fail2ban.sqlite3";
      };
      jails = lib.mkMerge [
        {
          DEFAULT.settings =
            lib.optionalAttrs increment.enable (
              lib.mapAttrs' (name: lib.nameValuePair "bantime.${if name == "enable" then "increment" else name}") (
                lib.filterAttrs (_: content: content != null) increment
              )
            )
            // {
              inherit (cfg) banaction bantime maxretry;
              banaction_allports = cfg.banaction-allports;
              ignoreip = lib.concatStringsSep " " ([ "127.0.0.1/8" ] ++ lib.optional config.networking.enableIPv6 "::1" ++ cfg.ignoreIP);
              backend = "systemd";
            };
        }
        (lib.mkIf config.services.openssh.enable {
          sshd.settings.port = lib.mkDefault (lib.concatMapStringsSep "," toString config.services.openssh.ports);
        })
      ];
    };
    # Without it failed tries with a key are not in the log.
    services.openssh.settings.LogLevel = lib.mkDefault "VERBOSE";
    warnings = lib.mkIf (!config.networking.firewall.enable) [ "services.fail2ban shuts nobody out without networking.firewall" ];
    environment.systemPackages = [ cfg.package pkgs.python3-systemd cfg.packageFirewall ] ++ cfg.extraPackages;
    environment.etc = {
      "fail2ban/fail2ban.local".text = daemon;
      "fail2ban/jail.local".text = jails;
      # The package's own choice of jails.
      "fail2ban/jail.d/defaults-debian.conf".text = "";
    }
    // lib.mapAttrs' (name: entry: lib.nameValuePair "fail2ban/filter.d/${name}.conf" { text = iniText entry.filter; }) ownFilters;
    systemd.services.fail2ban = {
      wantedBy = [ "multi-user.target" ];
      after = [ "nftables.service" ];
      partOf = lib.optional config.networking.firewall.enable "nftables.service";
      restartTriggers = [ daemon jails (builtins.toJSON (lib.mapAttrs (_: entry: entry.filter) ownFilters)) ];
      serviceConfig = removeAttrs forms.hardening [ "LockPersonality" "RestrictRealtime" "RestrictSUIDSGID" "ProtectKernelLogs" ] // {
        RuntimeDirectory = "fail2ban";
        RuntimeDirectoryMode = "0750";
        StateDirectory = "fail2ban";
        StateDirectoryMode = "0750";
        LogsDirectory = "fail2ban";
        LogsDirectoryMode = "0750";
        CapabilityBoundingSet = [ "CAP_AUDIT_READ" "CAP_DAC_READ_SEARCH" "CAP_NET_ADMIN" "CAP_NET_RAW" ];
      };
    };
    assertions = [
      {
        assertion = increment.formula == null || increment.multipliers == null;
        message = "services.fail2ban.bantime-increment: only one of 'formula' and 'multipliers' may be set";
      }
    ];
  };
}
