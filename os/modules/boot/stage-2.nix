# Stage 2: the first program on the root file system. Makes the store read-only, activates the system and becomes systemd.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  options.boot.postBootCommands = lib.mkOption {
    type = lib.types.lines;
    default = "";
    description = "Shell text run at boot just before systemd starts.";
  };

  # Already mounted when systemd starts, and not to be unmounted before it ends.
  config.systemd.mounts = [
    {
      description = "The store, read-only";
      what = "/nix/store";
      where = "/nix/store";
      type = "none";
      options = "bind,ro";
      unitConfig.DefaultDependencies = false;
      stopOnRemoval = false;
    }
  ];

  config.system.build.bootStage2 = ''
    #!${pkgs.busybox} sh
    systemConfig=@out@
    export PATH=/usr/bin:/usr/sbin
    # busybox finds its programs by way of /proc. A container's manager has mounted these.
    [ -e /proc/self ] || { mkdir -p /proc; ${pkgs.busybox} mount -t proc -o nosuid,nodev,noexec proc /proc; }
    is_mounted() { awk -v at="$1" '$2 == at { found = 1 } END { exit !found }' /proc/mounts 2>/dev/null; }
    is_mounted /sys || { mkdir -p /sys; mount -t sysfs -o nosuid,nodev,noexec sysfs /sys; }
    is_mounted /dev || { mkdir -p /dev; mount -t devtmpfs -o nosuid,mode=755 devtmpfs /dev; }
    is_mounted /run || { mkdir -p /run; mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs /run; }
    if [ -z "''${container-}" ]; then mount -o remount,rw none / 2>/dev/null; fi
    if ! is_mounted /nix/store; then
      mount -o bind /nix/store /nix/store
      mount -o remount,ro,bind none /nix/store
    fi
    mkdir -p /etc
    [ -s /etc/machine-id ] || [ -e /etc/machine-id ] || : >/etc/machine-id
    ln -sfn "$systemConfig" /run/booted-system
    "$systemConfig/activate" || echo "stage 2: activation failed; see above" >&2
    ${config.boot.postBootCommands}
    exec env -i ''${container:+container="$container"} TERM="''${TERM:-linux}" PATH=/run/wrappers/bin:/run/current-system/sw/bin:/usr/bin:/usr/sbin \
      /run/current-system/usr/lib/systemd/systemd "$@"
  '';
}
