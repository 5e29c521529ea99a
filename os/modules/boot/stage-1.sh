#!/bin/sh
# Stage 1, in the initial ramdisk: devices, root file system, then stage 2 of the system named by init= on the command line.
export PATH=/bin
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
. /settings
stage2=
root=
rootflags=
for word in $(cat /proc/cmdline); do
  case $word in
    init=*) stage2=${word#*=} ;;
    root=*) root=${word#*=} ;;
    rootflags=*) rootflags=${word#*=} ;;
    boot.shell_on_fail) shell=1 ;;
    boot.trace) set -x ;;
  esac
done

fail() {
  echo "stage 1: $1" >&2
  if [ -n "${shell-}" ]; then setsid cttyhack sh; fi
  echo "stage 1: starting again in 10 seconds" >&2
  sleep 10
  reboot -f
}

for module in $(cat /load); do modprobe -q "$module" || true; done
# Modules for what is there, until nothing new appears.
coldplug() {
  find /sys/devices -name modalias 2>/dev/null | while read -r file; do cat "$file" 2>/dev/null; done | sort -u | xargs -r modprobe -a -q -b 2>/dev/null
}
coldplug
coldplug

# device NAME: prints the node of /dev/disk/by-…, LABEL=, UUID=, PARTLABEL=, PARTUUID= or a plain device.
device() {
  case $1 in
    LABEL=* | UUID=*) findfs "$1" 2>/dev/null ;;
    /dev/disk/by-label/*) findfs "LABEL=${1##*/}" 2>/dev/null ;;
    /dev/disk/by-uuid/*) findfs "UUID=${1##*/}" 2>/dev/null ;;
    PARTLABEL=* | /dev/disk/by-partlabel/*)
      name=${1#PARTLABEL=}
      for event in /sys/class/block/*/uevent; do
        if grep -q -x "PARTNAME=${name##*/}" "$event"; then echo "/dev/$(sed -n 's/^DEVNAME=//p' "$event")"; return; fi
      done ;;
    PARTUUID=* | /dev/disk/by-partuuid/*)
      name=${1#PARTUUID=}
      for event in /sys/class/block/*/uevent; do
        if grep -q -i -x "PARTUUID=${name##*/}" "$event"; then echo "/dev/$(sed -n 's/^DEVNAME=//p' "$event")"; return; fi
      done ;;
    /dev/*) if [ -b "$1" ]; then echo "$1"; fi ;;
    *) echo "$1" ;;
  esac
}

. /post-device
mount_all() {
  mounted=
  while read -r what where type options; do
    if [ "$where" = / ] && [ -n "$root" ]; then what=$root; options=${rootflags:-$options}; fi
    mount_one "$what" "$where" "$type" "$options"
    if [ "$where" = / ]; then mounted=1; fi
  done </fstab
  if [ -z "$mounted" ]; then
    [ -n "$root" ] || fail "no root file system is configured and there is no root= on the command line"
    mount_one "$root" / auto "${rootflags:-defaults}"
  fi
}
mount_one() {
  what=$1
  options=$(echo ",$4," | sed 's/,x-[^,]*//g; s/,defaults,/,/g; s/^,//; s/,$//')
  case $3 in
    tmpfs | overlay | virtiofs | 9p) node=$what ;;
    *)
      node=
      tries=0
      while node=$(device "$what"); [ -z "$node" ]; do
        tries=$((tries + 1))
        [ "$tries" -le $((timeout * 10)) ] || fail "the device '$what' of $2 did not appear within $timeout seconds"
        usleep 100000
        [ $((tries % 10)) != 5 ] || coldplug
      done ;;
  esac
  mkdir -p "/mnt-root$2"
  case $3 in auto) type= ;; *) type="-t $3" ;; esac
  mount $type ${options:+-o "$options"} "$node" "/mnt-root$2" || fail "$2 ($node) could not be mounted"
}
mount_all
. /post-mount
[ -n "$stage2" ] || fail "the command line has no init="
[ -x "/mnt-root$stage2" ] || fail "there is no '$stage2' on the root file system"
# Programs of the ramdisk end with it.
umount /sys
mount -o move /dev /mnt-root/dev 2>/dev/null || { mkdir -p /mnt-root/dev; mount -o move /dev /mnt-root/dev; }
mkdir -p /mnt-root/run /mnt-root/proc /mnt-root/sys
mount -o move /run /mnt-root/run
umount /proc
exec switch_root /mnt-root "$stage2"
