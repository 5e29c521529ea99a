# Builder of mk-derivation.nix, run by busybox sh: makes the derivation's environment the root file system of a nested
# mount namespace and runs setup.sh in it with bash, under the uid that the build sandbox gave us.
set -eu
case ${1-} in
  '')
    export FIRN_BUILD_UID=$($busybox id -u) FIRN_BUILD_GID=$($busybox id -g)
    exec $busybox unshare -r -m $busybox sh "$0" root ;;
esac

root=$NIX_BUILD_TOP/.root
$busybox mkdir "$root"
$busybox mount -t tmpfs none "$root"
cd "$root"
$busybox mkdir -p nix proc dev tmp etc usr old ".$NIX_BUILD_TOP"
for directory in bin sbin lib lib32 lib64 libx32; do $busybox ln -s "usr/$directory" "$directory"; done
for directory in nix proc dev; do $busybox mount --rbind "/$directory" "$directory"; done
$busybox mount --rbind "$NIX_BUILD_TOP" ".$NIX_BUILD_TOP"
$busybox mount --bind "$environment/usr" usr
$busybox cp -r "$environment/etc/." etc
for file in passwd group hosts resolv.conf; do
  if [ -e "/etc/$file" ]; then $busybox rm -f "etc/$file"; $busybox cp "/etc/$file" "etc/$file"; fi
done
$busybox pivot_root . old
cd "$NIX_BUILD_TOP"
$busybox umount -l /old
$busybox rmdir /old "$root" 2>/dev/null || true

# Back to the uid of the build: a second user namespace, whose map only its parent may write.
export PATH=/usr/bin:/usr/sbin SHELL=/bin/bash
$busybox unshare -U $busybox sh -c '
  while [ "$($busybox id -u)" != "$FIRN_BUILD_UID" ]; do $busybox usleep 1000; done
  exec /usr/bin/bash -e "$setup"' &
child=$!
ours=$($busybox readlink /proc/self/ns/user)
while [ "$($busybox readlink "/proc/$child/ns/user")" = "$ours" ]; do $busybox usleep 1000; done
echo deny > "/proc/$child/setgroups"
echo "$FIRN_BUILD_GID 0 1" > "/proc/$child/gid_map"
echo "$FIRN_BUILD_UID 0 1" > "/proc/$child/uid_map"
wait "$child"
