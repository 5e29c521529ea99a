# ddclient: tells a provider of names which address the machine has.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.ddclient;
  yesOrNo = value: if value then "yes" else "no";
  text = ''
    cache=/var/lib/ddclient/ddclient.cache
    foreground=yes
    quiet=${yesOrNo cfg.quiet}
    verbose=${yesOrNo cfg.verbose}
    ssl=${yesOrNo cfg.ssl}
    ${lib.optionalString (cfg.use != "") "use=${cfg.use}"}
    ${lib.optionalString (cfg.use == "" && cfg.usev4 != "") "usev4=${cfg.usev4}"}
    ${lib.optionalString (cfg.use == "" && cfg.usev6 != "") "usev6=${cfg.usev6}"}
    protocol=${cfg.protocol}
    ${lib.optionalString (cfg.server != "") "server=${cfg.server}"}
    ${lib.optionalString (cfg.script != "") "script=${cfg.script}"}
    ${lib.optionalString (cfg.zone != "") "zone=${cfg.zone}"}
    ${lib.optionalString (cfg.username != "") "login=${cfg.username}"}
    ${lib.optionalString (cfg.passwordFile != null) (if cfg.protocol == "nsupdate" then "password=/run/ddclient/password" else "password=@password@")}
    ${lib.optionalString (cfg.secretsFile != null) "@secrets@"}
    ${cfg.extraConfig}
    ${lib.concatStringsSep "," cfg.domains}
  '';
  prepare = pkgs.writeShellScript "ddclient-prepare" (
    ''
      set -eu
      install -m 600 -o "$USER" ${file} /run/ddclient/ddclient.conf
    ''
    + lib.optionalString (cfg.configFile == null && cfg.passwordFile != null) (
      if cfg.protocol == "nsupdate" then
        "install -m 600 -o \"$USER\" ${lib.escapeShellArg cfg.passwordFile} /run/ddclient/password\n"
      else
        ''
          secret=$(sed 's/[\\&|]/\\&/g' ${lib.escapeShellArg cfg.passwordFile})
          sed -i "s|@password@|$secret|" /run/ddclient/ddclient.conf
        ''
    )
    + lib.optionalString (cfg.configFile == null && cfg.secretsFile != null) ''
      sed -i -e '/^@secrets@$/r '${lib.escapeShellArg cfg.secretsFile} -e '/^@secrets@$/d' /run/ddclient/ddclient.conf
    ''
    # sed -i makes the file anew.
    + ''
      chown "$USER" /run/ddclient/ddclient.conf
    ''
  );
  file = if cfg.configFile == null then pkgs.writeText "ddclient.conf" text else cfg.configFile;
in
{
  options.services.ddclient = {
    enable = lib.mkEnableOption "ddclient, which tells a provider of names which address the machine has";
    package = forms.package "ddclient";
    domains = forms.of (types.listOf types.str) [ "" ] "Names that get the address.";
    username = forms.str "" "Name at the provider.";
    passwordFile = forms.optional types.str "File of the password.";
    secretsFile = forms.optional types.str "File with further lines of the configuration.";
    interval = forms.str "10min" "How often, as a span of systemd.time(7).";
    configFile = forms.optional types.path "A configuration in place of one made of these options.";
    protocol = forms.str "dyndns2" "How the provider is spoken to.";
    server = forms.str "" "Server of the provider; empty is that of the protocol.";
    ssl = forms.bool true "Whether it is spoken to by TLS.";
    quiet = forms.bool false "Whether addresses that did not change are not logged.";
    script = forms.str "" "Path at the server.";
    use = forms.str "" "How the address is found, without regard to its kind.";
    usev4 = forms.str "webv4, webv4=ipify-ipv4" "How the IPv4 address is found.";
    usev6 = forms.str "webv6, webv6=ipify-ipv6" "How the IPv6 address is found.";
    verbose = forms.bool false "Whether all is logged.";
    zone = forms.str "" "Zone of the names.";
    extraConfig = forms.lines "Text added to ddclient.conf.";
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb ];
    systemd.services.ddclient = {
      description = "Address of the machine for its provider of names";
      documentation = [ "man:ddclient(8)" ];
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      restartTriggers = [ text ];
      serviceConfig = {
        Type = "oneshot";
        DynamicUser = true;
        RuntimeDirectory = "ddclient";
        RuntimeDirectoryMode = "0700";
        StateDirectory = "ddclient";
        # As root, which may read the files of secrets.
        ExecStartPre = [ "!${prepare}" ];
        ExecStart = "/usr/bin/ddclient -file /run/ddclient/ddclient.conf";
      };
    };
    systemd.timers.ddclient = {
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnBootSec = cfg.interval;
        OnUnitInactiveSec = cfg.interval;
      };
    };
  };
}
