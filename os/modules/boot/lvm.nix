# Volumes of LVM: what the machine and its first stage need for them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.lvm;
  first = config.boot.initrd.services.lvm;
in
{
  options = {
    boot.initrd.services.lvm.enable = lib.mkEnableOption "volumes of LVM in the first stage: the system can lie on one";
    services.lvm = {
      enable = lib.mkOption {
        type = lib.types.bool;
        default = first.enable;
        defaultText = lib.literalExpression "config.boot.initrd.services.lvm.enable";
        description = "Whether volumes of LVM are used.";
      };
      package = forms.package "lvm2";
      dmeventd.enable = forms.bool false "Whether volumes are watched, as snapshots and mirrors want it.";
    };
  };
  config = lib.mkMerge [
    (lib.mkIf cfg.enable {
      system.debian.packages = [ cfg.package.deb ];
      environment.systemPackages = [ cfg.package ];
      boot.kernelModules = [ "dm_mod" ];
      boot.extraKernelModules = [ "dm_snapshot" "dm_mirror" "dm_raid" "dm_thin_pool" ];
      systemd.sockets.lvm2-lvmpolld.wantedBy = [ "sysinit.target" ];
    })
    (lib.mkIf (cfg.enable && cfg.dmeventd.enable) {
      system.debian.packages = [ "dmeventd" ];
      systemd.sockets.dm-event.wantedBy = [ "sysinit.target" ];
      systemd.services.lvm2-monitor.wantedBy = [ "sysinit.target" ];
    })
    (lib.mkIf (first.enable && config.boot.kernel.enable) {
      boot.initrd = {
        kernelModules = [ "dm_mod" "dm_snapshot" "dm_mirror" "dm_raid" ];
        programs = [ "${cfg.package.unpacked}/sbin/lvm" ];
        programPackages = [ "lvm2" ];
        # There is no udev yet, so that names are made by LVM itself. A group that lacks a device is left until late.
        joinCommands = ''
          mkdir -p /etc/lvm /run/lvm /run/lock/lvm
          echo 'activation { udev_sync = 0 udev_rules = 0 monitoring = 0 } devices { obtain_device_list_from_udev = 0 external_device_info_source = "none" use_devicesfile = 0 } global { use_lvmpolld = 0 }' >/etc/lvm/lvm.conf
          if [ -n "$late" ]; then activation=degraded; else activation=complete; fi
          lvm vgchange --quiet --quiet --activate y --sysinit --activationmode "$activation" >/dev/null 2>&1 || true
          mark_mapped
        '';
      };
    })
  ];
}
