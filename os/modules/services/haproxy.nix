# HAProxy: shares connections and requests out among servers.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.haproxy;
  text = ''
    global
      stats socket /run/haproxy/haproxy.sock mode 600 expose-fd listeners level admin
    ${cfg.config}
  '';
in
{
  options.services.haproxy = {
    enable = lib.mkEnableOption "HAProxy, which shares connections and requests out among servers";
    package = forms.package "haproxy";
    user = forms.str "haproxy" "The account as which it runs.";
    group = forms.str "haproxy" "The group as which it runs.";
    config = forms.optional types.lines "Text of its configuration.";
  };
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.config != null;
        message = "services.haproxy.config has to be given";
      }
    ];
    system.debian.packages = [ cfg.package.deb ];
    system.debian.excludeEtc = [ "haproxy" ];
    environment.etc."haproxy.cfg".text = text;
    users.users.${cfg.user} = lib.mkIf (cfg.user == "haproxy") {
      inherit (cfg) group;
      isSystemUser = true;
      description = "HAProxy";
    };
    users.groups.${cfg.group} = lib.mkIf (cfg.group == "haproxy") { };
    systemd.services.haproxy = {
      description = "HAProxy";
      documentation = [ "man:haproxy(1)" ];
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      reloadTriggers = [ text ];
      serviceConfig = {
        Type = "notify";
        User = cfg.user;
        Group = cfg.group;
        RuntimeDirectory = "haproxy";
        ExecStartPre = [ "/usr/sbin/haproxy -c -f /etc/haproxy.cfg" ];
        ExecStart = "/usr/sbin/haproxy -Ws -f /etc/haproxy.cfg -p /run/haproxy/haproxy.pid";
        ExecReload = [
          "/usr/sbin/haproxy -c -f /etc/haproxy.cfg"
          "kill -USR2 $MAINPID"
        ];
        KillMode = "mixed";
        SuccessExitStatus = "143";
        Restart = "always";
        AmbientCapabilities = [ "CAP_NET_BIND_SERVICE" ];
        CapabilityBoundingSet = [ "CAP_NET_BIND_SERVICE" ];
        NoNewPrivileges = true;
        ProtectHome = true;
        ProtectSystem = "strict";
      };
    };
  };
}
