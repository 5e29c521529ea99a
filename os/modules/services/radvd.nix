# radvd: tells the machines of a network which prefix of IPv6 and which way out it has.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.radvd;
in
{
  options.services.radvd = {
    enable = lib.mkEnableOption "radvd, which tells a network its prefix of IPv6";
    package = forms.package "radvd";
    debugLevel = forms.of (lib.types.ints.between 0 5) 0 "How much is logged.";
    config = lib.mkOption {
      type = lib.types.lines;
      example = "interface eth1 { AdvSendAdvert on; prefix 2001:db8:1234::/64 { }; };";
      description = "Text of radvd.conf(5).";
    };
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb ];
    environment.etc."radvd.conf".text = cfg.config;
    boot.kernel.sysctl."net.ipv6.conf.all.forwarding" = lib.mkDefault true;
    users.users.radvd = {
      group = "radvd";
      isSystemUser = true;
      description = "radvd";
    };
    users.groups.radvd = { };
    systemd.services.radvd = {
      description = "radvd";
      documentation = [ "man:radvd(8)" ];
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      restartTriggers = [ cfg.config ];
      serviceConfig = {
        ExecStart = "/usr/sbin/radvd --logmethod stderr_clean -u radvd --nodaemon -d ${toString cfg.debugLevel} --pidfile /run/radvd/radvd.pid";
        RuntimeDirectory = "radvd";
        Restart = "always";
      };
    };
  };
}
