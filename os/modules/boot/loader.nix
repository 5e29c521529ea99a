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
        description = "Whether the installation may change the firmware's boot variables.";
      };
    };
  };
  config = {
    system.debian.packages = lib.optionals cfg.systemd-boot.enable [
      # The second tells the loader that a counted boot went well (a generator starts its unit).
      "systemd-boot-efi"
      "systemd-boot"
    ];
  };
}
