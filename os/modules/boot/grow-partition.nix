# The partition of the root file system grows to the end of its disk at each start: images are smaller than the disks they are written to.
{ config, lib, ... }:
{
  options.boot.growPartition = lib.mkEnableOption "growing the partition of the root file system to the end of its disk";
  config = lib.mkIf (config.boot.growPartition && !config.boot.isContainer) {
    fileSystems."/".autoResize = lib.mkDefault true;
    system.debian.packages = [ "fdisk" ];
    systemd.services.grow-partition = {
      description = "Growing of the root file system's partition";
      wantedBy = [ "-.mount" ];
      after = [ "-.mount" ];
      # The second is its name from systemd 253 on.
      before = [ "systemd-growfs@-.service" "systemd-growfs-root.service" "shutdown.target" ];
      conflicts = [ "shutdown.target" ];
      restartIfChanged = false;
      unitConfig = {
        DefaultDependencies = false;
        ConditionVirtualization = "!container";
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      script = ''
        partition=$(readlink -f "$(findmnt -n -o SOURCE /)")
        name=''${partition##*/}
        number=$(cat "/sys/class/block/$name/partition" 2>/dev/null) || exit 0
        disk=/dev/$(basename "$(readlink -f "/sys/class/block/$name/..")")
        size=$(cat "/sys/class/block/''${disk##*/}/size")
        start=$(cat "/sys/class/block/$name/start")
        length=$(cat "/sys/class/block/$name/size")
        # The table at the disk's end takes 33 sectors; less than a MiB is not worth it.
        if [ $((size - start - length)) -lt 4096 ]; then exit 0; fi
        sfdisk --relocate gpt-bak-std "$disk" || true
        echo ', +' | sfdisk --no-reread --no-tell-kernel -N "$number" "$disk"
        partx -u -n "$number" "$disk"
      '';
    };
  };
}
