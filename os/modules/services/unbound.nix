# Unbound: asks the servers of names itself, and checks their signatures.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.unbound;
  yesOrNo = value: if value == true then "yes" else if value == false then "no" else toString value;
  lines =
    indent: name: value:
    if builtins.isList value then
      lib.concatMapStrings (lines indent name) value
    else if builtins.isAttrs value then
      "${indent}${name}:\n${lib.concatStrings (lib.mapAttrsToList (lines "${indent}  ") value)}"
    else
      "${indent}${name}: ${yesOrNo value}\n";
  # Settings of the server come first: others refer to them.
  text =
    lib.optionalString (cfg.settings ? server) (lines "" "server" cfg.settings.server)
    + lib.concatStrings (lib.mapAttrsToList (lines "") (removeAttrs cfg.settings [ "server" ]));
  atom = types.oneOf [ types.bool types.int types.str types.path ];
  section = types.attrsOf (types.either atom (types.listOf atom));
in
{
  options.services.unbound = {
    enable = lib.mkEnableOption "Unbound, which asks the servers of names itself";
    package = forms.package "unbound";
    user = forms.str "unbound" "The account as which it runs.";
    group = forms.str "unbound" "The group as which it runs.";
    stateDir = forms.str "/var/lib/unbound" "Directory of the anchor of trust.";
    checkconf = forms.bool true "Whether the configuration is checked before it starts.";
    resolveLocalQueries = forms.bool true "Whether the machine's own programs ask it for names.";
    enableRootTrustAnchor = forms.bool true "Whether signatures are checked from the root on.";
    localControlSocketPath = forms.optional types.str "Socket of unbound-control.";
    settings = mkOption {
      type = types.attrsOf (types.either section (types.listOf section));
      default = { };
      example = {
        server.interface = [ "127.0.0.1" ];
        forward-zone = [
          {
            name = ".";
            forward-addr = "1.1.1.1@853#cloudflare-dns.com";
          }
        ];
      };
      description = "Settings of unbound.conf(5) by section.";
    };
  };
  config = lib.mkIf cfg.enable {
    services.unbound.settings = {
      server = {
        directory = lib.mkDefault cfg.stateDir;
        username = cfg.user;
        chroot = "\"\"";
        pidfile = "\"\"";
        interface = lib.mkDefault ([ "127.0.0.1" ] ++ lib.optional config.networking.enableIPv6 "::1");
        access-control = lib.mkDefault ([ "127.0.0.0/8 allow" ] ++ lib.optional config.networking.enableIPv6 "::1/128 allow");
        auto-trust-anchor-file = lib.mkIf cfg.enableRootTrustAnchor "${cfg.stateDir}/root.key";
        tls-cert-bundle = lib.mkDefault "/etc/ssl/certs/ca-certificates.crt";
        ip-freebind = lib.mkDefault true;
        define-tag = lib.mkDefault "\"\"";
      };
      remote-control = {
        control-enable = lib.mkDefault (cfg.localControlSocketPath != null);
        control-interface = lib.mkIf (cfg.localControlSocketPath != null) cfg.localControlSocketPath;
      };
    };
    system.debian.packages = [ cfg.package.deb "ca-certificates" ] ++ lib.optional cfg.enableRootTrustAnchor "dns-root-data";
    system.debian.excludeEtc = [ "unbound" ];
    environment.etc."unbound/unbound.conf".text = text;
    networking.nameservers = lib.mkIf cfg.resolveLocalQueries [ "127.0.0.1" ];
    users.users.${cfg.user} = lib.mkIf (cfg.user == "unbound") {
      inherit (cfg) group;
      isSystemUser = true;
      description = "Unbound";
    };
    users.groups.${cfg.group} = lib.mkIf (cfg.group == "unbound") { };
    systemd.services.unbound = {
      description = "Unbound";
      documentation = [ "man:unbound(8)" ];
      wantedBy = [ "multi-user.target" ];
      wants = [ "nss-lookup.target" ];
      before = [ "nss-lookup.target" ];
      after = [ "network.target" ];
      restartTriggers = [ text ];
      preStart = ''
        ${lib.optionalString cfg.enableRootTrustAnchor ''
          if [ ! -s ${cfg.stateDir}/root.key ]; then
            cp /usr/share/dns/root.key ${cfg.stateDir}/root.key
            chown ${cfg.user}:${cfg.group} ${cfg.stateDir}/root.key
            chmod 644 ${cfg.stateDir}/root.key
          fi
        ''}
        ${lib.optionalString cfg.checkconf "/usr/sbin/unbound-checkconf /etc/unbound/unbound.conf >/dev/null"}
      '';
      reload = "kill -HUP $MAINPID";
      serviceConfig = {
        Type = "notify";
        NotifyAccess = "main";
        ExecStart = "/usr/sbin/unbound -p -d -c /etc/unbound/unbound.conf";
        Restart = "on-failure";
        PrivateTmp = true;
        ProtectHome = true;
        ProtectSystem = true;
      };
    };
    systemd.tmpfiles.rules = [ "d ${cfg.stateDir} 0755 ${cfg.user} ${cfg.group} - -" ];
  };
}
