# The boot loader. `firn os` writes its entries; here is what they shall be.
{ config, lib, ... }:
let
  inherit (lib) mkOption mkEnableOption types;
  cfg = config.boot.loader;
in
{
  options.boot.loader = {
    systemd-boot = {
      enable = mkEnableOption "systemd-boot, a boot loader for machines with UEFI";
      editor = mkOption {
        type = types.bool;
        default = false;
        description = "Whether the kernel's command line may be edited in the boot menu; whoever can, is root.";
      };
      consoleMode = mkOption {
        type = types.enum [ "0" "1" "2" "5" "auto" "max" "keep" ];
        default = "keep";
        description = "Mode of the screen in the menu.";
      };
      configurationLimit = mkOption {
        type = types.nullOr types.ints.positive;
        default = 10;
        description = "How many generations the boot menu has; the oldest are dropped. null has no limit.";
      };
      bootCounting = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether a generation that does not come up falls back to the one before it.";
        };
        tries = mkOption {
          type = types.ints.positive;
          default = 3;
          description = "How often a new generation is tried.";
        };
      };
    };
    timeout = mkOption {
      type = types.nullOr types.int;
      default = 3;
      description = "Seconds that the menu is shown; null waits for a choice.";
    };
    efi = {
      efiSysMountPoint = mkOption {
        type = types.str;
        default = "/boot";
        description = "Where the EFI system partition is mounted.";
      };
      canTouchEfiVariables = mkOption {
        type = types.bool;
        default = false;
        description = "Whether the installation may change the firmware's boot variables. It does not: the loader lies where all firmware looks.";
      };
    };
  };
  config = {
    system.debian.packages = lib.optionals cfg.systemd-boot.enable [
      # The second tells the loader that a counted boot went well (a generator starts its unit).
      "systemd-boot-efi"
      "systemd-boot"
    ];
  
    # A counted boot is good when the units of the health check run; otherwise the machine starts again, and when the tries are
    # used up the loader takes the generation before. The variable is there in counted boots only.
    systemd.services = lib.mkIf (cfg.systemd-boot.enable && cfg.systemd-boot.bootCounting.enable) {
      firn-boot-check = {
        description = "Check that this boot went well";
        requiredBy = [ "boot-complete.target" ];
        before = [ "boot-complete.target" ];
        after = [ "multi-user.target" ];
        restartIfChanged = false;
        unitConfig.ConditionPathExists = "/sys/firmware/efi/efivars/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
        };
        script = ''
          for unit in ${lib.escapeShellArgs config.system.healthCheck.units}; do
            tries=0
            until systemctl is-active --quiet "$unit"; do
              tries=$((tries + 1))
              if [ "$tries" -gt ${toString config.system.healthCheck.timeout} ] || systemctl is-failed --quiet "$unit"; then
                echo "$unit does not run: starting the machine again" >&2
                systemctl --no-block reboot
                exit 1
              fi
              sleep 1
            done
          done
        '';
      };
    };
  };
}
