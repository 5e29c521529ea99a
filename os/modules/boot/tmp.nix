# What /tmp is and whether it is emptied at boot.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.boot.tmp;
in
{
  options.boot.tmp = {
    cleanOnBoot = mkOption {
      type = types.bool;
      default = false;
      description = "Whether `/tmp` is emptied at boot.";
    };
    useTmpfs = mkOption {
      type = types.bool;
      default = false;
      description = "Whether `/tmp` is in memory.";
    };
    tmpfsSize = mkOption {
      type = types.oneOf [ types.str types.ints.positive ];
      default = "50%";
      description = "Size of a `/tmp` in memory: bytes, or a share of the memory.";
    };
  };
  config = {
    systemd.mounts = lib.optional cfg.useTmpfs {
      what = "tmpfs";
      where = "/tmp";
      type = "tmpfs";
      mountConfig.Options = lib.concatStringsSep "," [
        "mode=1777"
        "strictatime"
        "rw"
        "nosuid"
        "nodev"
        "size=${toString cfg.tmpfsSize}"
      ];
      wantedBy = [ "local-fs.target" ];
      before = [ "local-fs.target" ];
    };
    systemd.tmpfiles.rules = lib.optional cfg.cleanOnBoot "D! /tmp 1777 root root";
  };
}
