#!/bin/sh
# Stage 1, in the initial ramdisk: devices, root file system, then stage 2 of the system named by init= on the command line.
export PATH=/bin
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
# Where the kernel finds the program for modules that it asks for itself.
modprobe_before=$(cat /proc/sys/kernel/modprobe)
echo /bin/modprobe >/proc/sys/kernel/modprobe
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

# mark_mapped: gives devices of the device mapper the links and marks that udev would have made: without them it takes no notice of a device
# that was there before it.
mark_mapped() {
  for mapped in /sys/block/dm-*; do
    [ -e "$mapped/dm/name" ] || continue
    ln -sfn "../${mapped##*/}" "/dev/mapper/$(cat "$mapped/dm/name")"
    mkdir -p /run/udev/data
    echo E:DM_UDEV_PRIMARY_SOURCE_FLAG=1 >"/run/udev/data/b$(cat "$mapped/dev")"
  done
}
# Arrays and volumes of the devices that are there by now.
join_devices() {
  . /join-devices
}
late=
join_devices

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

# wait_for DEVICE PURPOSE [SECONDS]: sets node to the node of the device, once that is there; fails when it does not appear.
wait_for() {
  node=
  tries=0
  while node=$(device "$1"); [ -z "$node" ]; do
    tries=$((tries + 1))
    [ "$tries" -le $((${3:-$timeout} * 10)) ] || return 1
    usleep 100000
    if [ $((tries % 10)) = 5 ]; then
      coldplug
      if [ "$tries" -gt $((timeout * 5)) ]; then late=1; fi
      join_devices
    fi
  done
}
must_wait_for() { wait_for "$1" || fail "the device '$1' of $2 did not appear within $timeout seconds"; }

# open_encrypted NAME DEVICE HEADER KEY KEY-OPTIONS SECONDS FALL-BACK TRY-EMPTY [OPTION]...
open_encrypted() {
  name=$1 what=$2 header=$3 key=$4 key_options=$5 seconds=$6 fall_back=$7 try_empty=$8
  shift 8
  mkdir -p -m 700 /run/cryptsetup
  must_wait_for "$what" "$name"
  encrypted=$node
  if [ -n "$header" ]; then
    must_wait_for "$header" "$name"
    set -- "$@" --header "$node"
  fi
  opened=
  if [ -n "$key" ]; then
    node=$key
    case $key in
      /dev/*) wait_for "$key" "$name" "$seconds" || node= ;;
    esac
    if [ -n "$node" ] && [ -e "$node" ] && cryptsetup open --type luks "$@" --key-file "$node" $key_options "$encrypted" "$name"; then
      opened=1
    elif [ -z "$fall_back" ]; then
      fail "the key '$key' does not open '$what'"
    else
      echo "stage 1: the key '$key' does not open '$what'" >&2
    fi
  fi
  if [ -z "$opened" ] && [ -n "$try_empty" ] && try_passphrase "" "$@"; then opened=1; fi
  # The passphrase of the device before often opens this one too.
  if [ -z "$opened" ] && [ -n "${passphrase+set}" ] && try_passphrase "$passphrase" "$@"; then opened=1; fi
  while [ -z "$opened" ]; do
    printf 'Passphrase for %s (%s): ' "$name" "$what"
    IFS= read -r -s passphrase || fail "there is no console to ask for the passphrase of '$what'"
    echo
    if try_passphrase "$passphrase" "$@"; then opened=1; else echo "stage 1: this passphrase does not open '$what'"; fi
  done
  if [ -n "${forget-}" ]; then unset passphrase; fi
  mark_mapped
  join_devices
}
# try_passphrase TEXT [OPTION]...: fails when it is a wrong one; what else goes wrong is not to be asked about again.
try_passphrase() {
  text=$1
  shift
  status=0
  printf %s "$text" | cryptsetup open --type luks "$@" --key-file - "$encrypted" "$name" 2>/run/cryptsetup/error || status=$?
  case $status in
    0) return 0 ;;
    2) return 1 ;;
    *) fail "'$encrypted' cannot be opened: $(cat /run/cryptsetup/error)" ;;
  esac
}
. /open-encrypted
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
      must_wait_for "$what" "$2" ;;
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
echo "$modprobe_before" >/proc/sys/kernel/modprobe
umount /sys
mount -o move /dev /mnt-root/dev 2>/dev/null || { mkdir -p /mnt-root/dev; mount -o move /dev /mnt-root/dev; }
mkdir -p /mnt-root/run /mnt-root/proc /mnt-root/sys
mount -o move /run /mnt-root/run
umount /proc
exec switch_root /mnt-root "$stage2"
