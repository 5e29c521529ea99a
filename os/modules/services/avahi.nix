# Avahi: names ending in .local, and services that machines of one network find by themselves.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.avahi;
  yes = value: if value then "yes" else "no";
  line = name: value: lib.optionalString (value != null && value != "") "${name}=${value}\n";
  text =
    "[server]\n"
    + line "host-name" cfg.hostName
    + line "domain-name" cfg.domainName
    + line "browse-domains" (lib.concatStringsSep ", " cfg.browseDomains)
    + line "use-ipv4" (yes cfg.ipv4)
    + line "use-ipv6" (yes cfg.ipv6)
    + line "allow-interfaces" (if cfg.allowInterfaces == null then null else lib.concatStringsSep "," cfg.allowInterfaces)
    + line "deny-interfaces" (if cfg.denyInterfaces == null then null else lib.concatStringsSep "," cfg.denyInterfaces)
    + line "allow-point-to-point" (yes cfg.allowPointToPoint)
    + line "cache-entries-max" (if cfg.cacheEntriesMax == null then null else toString cfg.cacheEntriesMax)
    + "[wide-area]\n"
    + line "enable-wide-area" (yes cfg.wideArea)
    + "[publish]\n"
    + line "disable-publishing" (yes (!cfg.publish.enable))
    + line "disable-user-service-publishing" (yes (!cfg.publish.userServices))
    + line "publish-addresses" (yes (cfg.publish.userServices || cfg.publish.addresses))
    + line "publish-hinfo" (yes cfg.publish.hinfo)
    + line "publish-workstation" (yes cfg.publish.workstation)
    + line "publish-domain" (yes cfg.publish.domain)
    + "[reflector]\n"
    + line "enable-reflector" (yes cfg.reflector)
    + cfg.extraConfig;
  module = if cfg.nssmdns4 && cfg.nssmdns6 then "mdns" else if cfg.nssmdns4 then "mdns4" else "mdns6";
  # Copies: the daemon reads them with its directory as its root, where links lead nowhere.
  services = lib.mapAttrs (
    _: content: (if lib.hasPrefix "/" "${content}" then { source = content; } else { text = content; }) // { mode = "0644"; }
  ) cfg.extraServiceFiles;
in
{
  options.services.avahi = {
    enable = lib.mkEnableOption "Avahi, with which machines of one network find each other";
    package = forms.package "avahi-daemon";
    hostName = mkOption {
      type = types.str;
      default = config.networking.hostName;
      defaultText = lib.literalExpression "config.networking.hostName";
      description = "The name that is announced.";
    };
    domainName = forms.str "local" "Domain of what is announced.";
    browseDomains = forms.strings "Further domains that are looked through.";
    ipv4 = forms.bool true "Whether IPv4 is used.";
    ipv6 = mkOption {
      type = types.bool;
      default = config.networking.enableIPv6;
      defaultText = lib.literalExpression "config.networking.enableIPv6";
      description = "Whether IPv6 is used.";
    };
    allowInterfaces = forms.optional (types.listOf types.str) "Interfaces that are used; null is all but the loopback.";
    denyInterfaces = forms.optional (types.listOf types.str) "Interfaces that are not used.";
    openFirewall = forms.bool true "Whether the firewall lets its packets in.";
    allowPointToPoint = forms.bool false "Whether interfaces to one other machine are used.";
    wideArea = forms.bool false "Whether services are looked for over DNS.";
    reflector = forms.bool false "Whether questions are passed on between interfaces.";
    extraServiceFiles = mkOption {
      type = types.attrsOf (types.either types.str types.path);
      default = { };
      description = "Services that are announced: texts or files as avahi.service(5) has them.";
    };
    publish = {
      enable = forms.bool false "Whether anything is announced.";
      userServices = forms.bool false "Whether programs may announce services.";
      addresses = forms.bool false "Whether addresses are announced.";
      hinfo = forms.bool false "Whether processor and system are announced.";
      workstation = forms.bool false "Whether the machine is announced as a workstation.";
      domain = forms.bool false "Whether the domain is announced.";
    };
    nssmdns4 = forms.bool false "Whether programs resolve names ending in .local, over IPv4.";
    nssmdns6 = forms.bool false "Whether they do over IPv6.";
    nssmdnsFull = forms.bool false "Whether all names and addresses are looked for.";
    cacheEntriesMax = forms.optional types.int "How many answers are kept for each interface.";
    extraConfig = forms.lines "Text added to the configuration.";
    debug = forms.bool false "Whether everything is logged.";
  };

  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb "avahi-utils" ] ++ lib.optional (cfg.nssmdns4 || cfg.nssmdns6) "libnss-mdns";
    system.nssDatabases.hosts = lib.mkIf (cfg.nssmdns4 || cfg.nssmdns6) (
      lib.mkMerge [
        (lib.mkBefore [ "${module}_minimal [NOTFOUND=return]" ])
        (lib.mkAfter (lib.optional cfg.nssmdnsFull module))
      ]
    );
    environment.etc = {
      "avahi/avahi-daemon.conf".text = text;
    }
    // lib.mapAttrs' (name: content: lib.nameValuePair "avahi/services/${name}.service" content) services;
    users.users.avahi = {
      group = "avahi";
      isSystemUser = true;
      home = "/run/avahi-daemon";
      description = "Avahi";
    };
    users.groups.avahi = { };
    # The accounts that its rules for D-Bus name.
    users.groups.netdev = { };
    networking.firewall.allowedUDPPorts = lib.optional cfg.openFirewall 5353;
    systemd.sockets.avahi-daemon.wantedBy = [ "sockets.target" ];
    systemd.services.avahi-daemon = {
      description = "Avahi";
      documentation = [ "man:avahi-daemon(8)" ];
      wantedBy = [ "multi-user.target" ];
      requires = [ "avahi-daemon.socket" ];
      aliases = [ "dbus-org.freedesktop.Avahi.service" ];
      restartTriggers = [ text (builtins.toJSON (builtins.attrValues cfg.extraServiceFiles)) ];
      serviceConfig = {
        Type = "dbus";
        BusName = "org.freedesktop.Avahi";
        NotifyAccess = "main";
        ExecStart = "/usr/sbin/avahi-daemon -s${lib.optionalString cfg.debug " --debug"}";
        ExecReload = "/usr/sbin/avahi-daemon -r";
      };
    };
    assertions = [
      {
        assertion = cfg.nssmdnsFull -> cfg.nssmdns4 || cfg.nssmdns6;
        message = "services.avahi.nssmdnsFull needs 'nssmdns4' or 'nssmdns6'";
      }
    ];
  };
}
