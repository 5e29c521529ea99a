/** The shell text that makes the container's mounts and starts its first program; see container.ts. */

/**
 * Run by the generation's busybox as process 1 of a first process namespace, with ROOT (directory of the root file system),
 * STORE (the real store), SYSTEM (the generation's store path) and BUSYBOX (its logical path) in the
 * environment; NETWORK is `own`, `uplink` or `host`, then with the host's resolv.conf in RESOLVERS.
 *
 * The console is a pseudo-terminal of the container's own devpts: `script` opens it and copies its output to our standard
 * output. No device node of the host is bound: systemd changes the modes of the device that it uses as its console.
 */
export const CONTAINER_SETUP = `set -eu
umask 022
for directory in nix/store etc proc sys dev run tmp var home root; do mkdir -p "$ROOT/$directory"; done
chmod 700 "$ROOT/root"
mount -o bind "$ROOT" "$ROOT"
mount -o bind "$STORE" "$ROOT/nix/store"
mount -o remount,bind,ro none "$ROOT/nix/store"
mount -t proc -o nosuid,nodev,noexec proc "$ROOT/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$ROOT/sys"
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$ROOT/sys/fs/cgroup"
mount -t tmpfs -o mode=755,nosuid dev "$ROOT/dev"
cd "$ROOT/dev"
mknod -m 666 null c 1 3
mknod -m 666 zero c 1 5
mknod -m 666 full c 1 7
mknod -m 666 random c 1 8
mknod -m 666 urandom c 1 9
mknod -m 666 tty c 5 0
# The kernel's log is the host's: writes go nowhere.
mknod -m 600 kmsg c 1 3
ln -s /proc/self/fd fd
ln -s fd/0 stdin
ln -s fd/1 stdout
ln -s fd/2 stderr
ln -s pts/ptmx ptmx
mkdir pts shm mqueue
# Tunnels are of the network that the container has for itself.
if [ "$NETWORK" != host ]; then mkdir net && mknod -m 666 net/tun c 10 200; fi
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts pts
mount -t tmpfs -o mode=1777,nosuid,nodev shm shm
touch console
mount -t tmpfs -o mode=755,nosuid,nodev run "$ROOT/run"
# What the first programs need to be found; activation makes the same links.
ln -s "$SYSTEM" "$ROOT/run/current-system"
[ -L "$ROOT/usr" ] || ln -s run/current-system/usr "$ROOT/usr"
for directory in bin sbin lib lib64; do [ -L "$ROOT/$directory" ] || ln -s "usr/$directory" "$ROOT/$directory"; done
# A login prompt would hang up the console, and with it the program that keeps it open; who wants in has 'run'.
mkdir -p "$ROOT/run/systemd/system"
ln -s /dev/null "$ROOT/run/systemd/system/console-getty.service"
if [ "$NETWORK" = uplink ]; then
  ip link set lo up
  # As slirp4netns has it. systemd-networkd keeps it, other programs leave it as they find it.
  mkdir -p "$ROOT/run/systemd/network" "$ROOT/run/systemd/resolved.conf.d"
  printf '[Match]\\nName=uplink0\\n[Network]\\nAddress=10.0.2.100/24\\nGateway=10.0.2.2\\nIPv6AcceptRA=no\\n' >"$ROOT/run/systemd/network/10-uplink.network"
  printf '[Resolve]\\nDNS=10.0.2.3\\n' >"$ROOT/run/systemd/resolved.conf.d/uplink.conf"
elif [ "$NETWORK" = own ]; then
  ip link set lo up
else
  # The host's network is not the machine's to change.
  for unit in systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service systemd-resolved.service nftables.service; do
    ln -s /dev/null "$ROOT/run/systemd/system/$unit"
  done
  mkdir -p "$ROOT/run/systemd/resolve"
  for file in stub-resolv.conf resolv.conf; do printf '%s' "$RESOLVERS" >"$ROOT/run/systemd/resolve/$file"; done
  touch "$ROOT/run/firn-host-network"
fi
cd "$ROOT"
mkdir -p run/firn-host
pivot_root . run/firn-host
cd /
umount -l /run/firn-host
rmdir /run/firn-host
printf '%s' "$START" >/run/firn-start
exec /usr/bin/script -q -e -c "exec /usr/bin/unshare --kill-child -m -p -f --mount-proc $BUSYBOX sh /run/firn-start" /dev/null
`;

/**
 * A second, unobstructed /proc is kept aside: without one the kernel lets no nested namespace mount its own, as builds do.
 *
 * Run as process 1 of the container: files of the host's kernel are made read-only, then stage 2 takes over.
 */
export const CONTAINER_START = `rm /run/firn-start
mkdir -p /dev/.firn/proc && chmod 700 /dev/.firn && mount -t proc proc /dev/.firn/proc
mount -o bind /proc/sys /proc/sys && mount -o remount,bind,ro none /proc/sys
if [ ! -e /run/firn-host-network ]; then mount -o bind /proc/sys/net /proc/sys/net && mount -o remount,bind,rw none /proc/sys/net; fi
if [ -e /proc/sysrq-trigger ]; then mount -o bind /dev/null /proc/sysrq-trigger; fi
mount -o bind "$(tty)" /dev/console
# What systemd mounts for a unit, such as its credentials, is seen by those that it starts; systemd itself leaves this to who makes a container.
mount --make-rshared /
exec env -i container=firn TERM="\${TERM:-dumb}" "$SYSTEM/init" <>/dev/console >&0 2>&0
`;
