# Kernel settings below /proc/sys.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.boot.kernel.sysctl = mkOption {
    type = types.attrsOf (types.nullOr (types.oneOf [ types.bool types.int types.str ]));
    default = { };
    example = {
      "net.ipv4.ip_forward" = true;
    };
    description = "Settings below `/proc/sys`, by their dotted names; null takes one out.";
  };

  config = {
    environment.etc."sysctl.d/60-firn.conf".text = lib.concatStringsSep "" (
      lib.mapAttrsToList (
        name: value:
        lib.optionalString (value != null) "${name}=${if value == false then "0" else toString value}\n"
      ) config.boot.kernel.sysctl
    );
    systemd.services.systemd-sysctl.restartTriggers = [ config.environment.etc."sysctl.d/60-firn.conf".source ];
    boot.kernel.sysctl = {
      "kernel.printk" = lib.mkDefault "4 4 1 7";
      "fs.inotify.max_user_watches" = lib.mkDefault 524288;
    };
  };
}
