# Units of Debian's packages that maintainer scripts would enable, and those that make no sense here.
{ config, lib, ... }:
{
  systemd = {
    # Masked: they serve what this system does not have.
    units = lib.genAttrs [
      "e2scrub_all.timer"
      "e2scrub_reap.service"
      "systemd-firstboot.service"
      "systemd-machine-id-commit.service"
      "systemd-sysusers.service"
      "systemd-hwdb-update.service"
      "systemd-pcrphase.service"
      "systemd-pcrphase-sysinit.service"
      "systemd-pcrphase-initrd.service"
      "systemd-update-done.service"
      "ldconfig.service"
      "dpkg-db-backup.timer"
      "man-db.timer"
      "rc-local.service"
    ] (_: { enable = false; });
    targets.multi-user = { };
    # What belongs to boot and sessions must not be restarted under their feet.
    services =
      lib.genAttrs [
        "dbus"
        "systemd-logind"
        "systemd-user-sessions"
        "user@"
        "user-runtime-dir@"
        "systemd-journal-flush"
        "systemd-random-seed"
        "systemd-remount-fs"
        "systemd-udev-settle"
        "systemd-update-utmp"
      ] (_: { restartIfChanged = false; })
      // {
        systemd-journald.stopIfChanged = false;
        systemd-udevd.stopIfChanged = false;
      };
  };
}
