# dnsmasq: names and addresses (DNS and DHCP) for a small network.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.dnsmasq;
  resolved = config.services.resolved.enable;
  atom = types.nullOr (types.oneOf [ types.bool types.int types.float types.str types.path ]);
  line =
    name: content:
    if content == true then
      "${name}\n"
    else if content == false || content == null then
      ""
    else if builtins.isList content then
      lib.concatMapStrings (line name) content
    else
      "${name}=${if builtins.isPath content then "${content}" else toString content}\n";
  text = lib.concatStrings (lib.mapAttrsToList line cfg.settings);
  file = pkgs.writeText "dnsmasq.conf" text;
in
{
  options.services.dnsmasq = {
    enable = lib.mkEnableOption "dnsmasq, which gives a small network names and addresses";
    package = forms.package "dnsmasq";
    resolveLocalQueries = forms.bool true "Whether the machine's own programs ask it for names.";
    alwaysKeepRunning = forms.bool false "Whether it is started again also when it was ended in good order.";
    settings = mkOption {
      type = types.submodule {
        freeformType = types.attrsOf (types.either atom (types.listOf atom));
        options.server = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "9.9.9.9" ];
          description = "Servers that are asked.";
        };
      };
      default = { };
      example = {
        domain-needed = true;
        dhcp-range = [ "192.168.0.2,192.168.0.254" ];
      };
      description = "Settings; true is a name without a value, a list gives the name several times.";
    };
    configFile = mkOption {
      type = types.package;
      readOnly = true;
      default = file;
      defaultText = "the file of the settings";
      description = "The configuration.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.dnsmasq.settings = {
      dhcp-leasefile = lib.mkDefault "/var/lib/dnsmasq/dnsmasq.leases";
      # /etc/resolv.conf names dnsmasq itself; servers that the network has told are known to systemd-resolved.
      resolv-file = lib.mkIf (cfg.resolveLocalQueries && resolved) (lib.mkDefault [ "/run/systemd/resolve/resolv.conf" ]);
      no-resolv = lib.mkIf (cfg.resolveLocalQueries && !resolved) (lib.mkDefault true);
      # The stub of systemd-resolved has the port at 127.0.0.53.
      bind-dynamic = lib.mkIf resolved (lib.mkDefault true);
    };
    system.debian.packages = [ cfg.package.deb ];
    # systemd-resolved answers nothing while there is no network, so that programs ask dnsmasq themselves.
    environment.etc."resolv.conf" = lib.mkIf (cfg.resolveLocalQueries && resolved) {
      source = lib.mkForce (pkgs.writeText "resolv.conf" "nameserver 127.0.0.1\noptions edns0\n");
    };
    networking.nameservers = lib.mkIf (cfg.resolveLocalQueries && !resolved) [ "127.0.0.1" ];
    users.users.dnsmasq = {
      group = "dnsmasq";
      isSystemUser = true;
      description = "dnsmasq";
    };
    users.groups.dnsmasq = { };
    systemd.services.dnsmasq = {
      description = "dnsmasq";
      documentation = [ "man:dnsmasq(8)" ];
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" "systemd-resolved.service" ];
      restartTriggers = [ text config.environment.etc.hosts.text ];
      preStart = ''
        mkdir -p -m 755 /var/lib/dnsmasq
        touch /var/lib/dnsmasq/dnsmasq.leases
        chown -R dnsmasq:dnsmasq /var/lib/dnsmasq
        /usr/sbin/dnsmasq --test -C /etc/dnsmasq-settings.conf
      '';
      reload = "kill -HUP $MAINPID";
      serviceConfig = {
        Type = "dbus";
        BusName = "uk.org.thekelleys.dnsmasq";
        ExecStart = "/usr/sbin/dnsmasq -k --enable-dbus --user=dnsmasq --group=dnsmasq -C /etc/dnsmasq-settings.conf";
        Restart = if cfg.alwaysKeepRunning then "always" else "on-failure";
        PrivateTmp = true;
        ProtectSystem = true;
        ProtectHome = true;
      };
    };
    environment.etc."dnsmasq-settings.conf".source = file;
  };
}
