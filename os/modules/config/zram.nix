# Swap in compressed memory.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.zramSwap;
  device = "zram0";
in
{
  options.zramSwap = {
    enable = lib.mkEnableOption "swap in compressed memory";
    algorithm = mkOption {
      type = types.str;
      default = "zstd";
      example = "lz4";
      description = "How it is compressed.";
    };
    memoryPercent = mkOption {
      type = types.ints.positive;
      default = 50;
      description = "Its size before compression, in percent of the memory.";
    };
    memoryMax = mkOption {
      type = types.nullOr types.ints.positive;
      default = null;
      description = "Its largest size in bytes.";
    };
    priority = mkOption {
      type = types.int;
      default = 5;
      description = "Priority among the swap devices; higher ones are used first.";
    };
  };
  config = lib.mkIf cfg.enable {
    boot.kernelModules = [ "zram" ];
    systemd.services.zram-swap = {
      description = "Swap in compressed memory";
      wantedBy = [ "swap.target" ];
      before = [ "swap.target" ];
      unitConfig = {
        DefaultDependencies = false;
        ConditionVirtualization = "!container";
      };
      after = [ "systemd-modules-load.service" ];
      script = ''
        memory=$(awk '/^MemTotal:/ { printf "%d", $2 * 1024 * ${toString cfg.memoryPercent} / 100 }' /proc/meminfo)
        ${lib.optionalString (cfg.memoryMax != null) ''
          if [ "$memory" -gt ${toString cfg.memoryMax} ]; then memory=${toString cfg.memoryMax}; fi
        ''}
        echo ${lib.escapeShellArg cfg.algorithm} > /sys/block/${device}/comp_algorithm
        echo "$memory" > /sys/block/${device}/disksize
        mkswap /dev/${device}
        swapon --priority ${toString cfg.priority} /dev/${device}
      '';
      preStop = ''
        swapoff /dev/${device}
        echo 1 > /sys/block/${device}/reset
      '';
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
    };
  };
}
