# Builder of boot/initrd.nix, run by busybox sh: a compressed cpio archive with busybox, the modules and stage 1.
set -eu
umask 022
root=$NIX_BUILD_TOP/root
modules=$kernel/lib/modules/$release
mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/mnt-root" "$root/lib/modules/$release" "$out"
cp "$busybox" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
cp "$stage1" "$root/init"
chmod 755 "$root/init"
cp "$fstabPath" "$root/fstab"
cp "$settingsPath" "$root/settings"
cp "$openEncryptedPath" "$root/open-encrypted"
cp "$joinDevicesPath" "$root/join-devices"
cp "$postMountPath" "$root/post-mount"
cp "$postDevicePath" "$root/post-device"
printf '%s\n' $kernelModules >"$root/load"

# The wanted modules and what they need; those built into the kernel have no file.
awk -v wanted="$availableKernelModules $kernelModules" '
  {
    path = $1; sub(/:$/, "", path); depends[path] = substr($0, index($0, ":") + 1)
    name = path; sub(/.*\//, "", name); sub(/\.ko.*/, "", name); gsub(/-/, "_", name)
    at[name] = path
  }
  function take(path,   n, list, i) {
    if (path in taken) return
    taken[path] = 1
    n = split(depends[path], list, " ")
    for (i = 1; i <= n; i++) take(list[i])
  }
  END {
    n = split(wanted, want, " ")
    for (i = 1; i <= n; i++) { name = want[i]; gsub(/-/, "_", name); if (name in at) take(at[name]) }
    for (path in taken) print path
  }
' "$modules/modules.dep" | sort >"$NIX_BUILD_TOP/chosen"
while read -r path; do
  plain=${path%.zst}
  mkdir -p "$root/lib/modules/$release/${plain%/*}"
  "$linker" --library-path "$libraries" "$zstd" -q -d -c "$modules/$path" >"$root/lib/modules/$release/$plain"
done <"$NIX_BUILD_TOP/chosen"
# Indices of the chosen ones: the names without their compression.
awk -v chosen="$NIX_BUILD_TOP/chosen" '
  BEGIN { while ((getline path < chosen) > 0) take[path ":"] = 1 }
  $1 in take { gsub(/\.ko\.zst/, ".ko"); print }
' "$modules/modules.dep" >"$root/lib/modules/$release/modules.dep"
sed 's,.*/,,; s,\.ko.*,,; y,-,_,' "$NIX_BUILD_TOP/chosen" >"$NIX_BUILD_TOP/names"
awk -v names="$NIX_BUILD_TOP/names" '
  BEGIN { while ((getline name < names) > 0) take[name] = 1 }
  /^alias / && ($3 in take) { print }
' "$modules/modules.alias" >"$root/lib/modules/$release/modules.alias"

# Programs besides busybox's, each with the libraries that it is linked with.
if [ -n "$programs" ]; then
  mkdir -p "$root/lib64" "$root/lib/x86_64-linux-gnu"
  cp -L "$linker" "$root/lib64/ld-linux-x86-64.so.2"
  for program in $programs; do
    cp -L "$program" "$root/bin/${program##*/}"
    "$linker" --library-path "$programLibraries" --list "$program" >"$NIX_BUILD_TOP/libraries"
    awk '$2 == "=>" && $3 ~ /^\// { print $3 }' "$NIX_BUILD_TOP/libraries" | while read -r library; do
      # Programs share libraries.
      [ -e "$root/lib/x86_64-linux-gnu/${library##*/}" ] || cp -L "$library" "$root/lib/x86_64-linux-gnu/${library##*/}"
    done
  done
  chmod -R u+w "$root/bin" "$root/lib64" "$root/lib/x86_64-linux-gnu"
fi

# archive ROOT: the same bytes each time: one time, one order, numbered inodes.
archive() (
  cd "$1"
  find . -exec touch -h -d @1 {} +
  find . | sort | cpio -o -H newc --renumber-inodes --ignore-devno -R 0:0 2>/dev/null
)

# The kernel looks for microcode in an archive of its own, not compressed, before the rest.
if [ -n "$microcode" ]; then
  early=$NIX_BUILD_TOP/early
  mkdir -p "$early/kernel/x86/microcode"
  for package in $microcode; do
    for directory in "$package/lib/firmware" "$package/usr/lib/firmware"; do
      for file in "$directory"/intel-ucode/*; do
        if [ -f "$file" ]; then cat "$file" >>"$early/kernel/x86/microcode/GenuineIntel.bin"; fi
      done
      for file in "$directory"/amd-ucode/*.bin; do
        if [ -f "$file" ]; then cat "$file" >>"$early/kernel/x86/microcode/AuthenticAMD.bin"; fi
      done
    done
  done
  archive "$early" >"$out/initrd"
fi
archive "$root" >"$NIX_BUILD_TOP/initrd"
"$linker" --library-path "$libraries" "$zstd" -q -10 -T1 -c "$NIX_BUILD_TOP/initrd" >>"$out/initrd"
