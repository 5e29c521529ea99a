# Builder of system-env.nix, run by busybox sh: merges $packages, removes $exclude and writes the list of packages.
. "$merge"
cd "$out"
set -f
for pattern in $exclude; do
  set +f
  for path in $pattern; do
    if [ -e "$path" ] || [ -L "$path" ]; then $bb rm -rf "$path"; fi
  done
  set -f
done
set +f
# The modules of the kernel that runs, which is not always that of the current system.
[ -e usr/lib/modules ] || $bb ln -s /run/booted-system/kernel-modules/lib/modules usr/lib/modules
# name, version, installed bytes: one line a package.
for package in $packages; do
  $bb awk '
    /^Package: / { name = $2 } /^Version: / { version = $2 } /^Installed-Size: / { size = $2 * 1024 }
    END { printf "%s\t%s\t%d\n", name, version, size }
  ' "$package/DEBIAN/control"
done | $bb sort > nix-support/packages
# The same as JSON; names and versions of Debian packages need no escapes.
$bb awk -F '\t' '
  { list = list (NR > 1 ? ", " : "") "{\"name\":\"" $1 "\",\"version\":\"" $2 "\",\"size\":" $3 "}" }
  END { print "[" list "]" }
' nix-support/packages > nix-support/packages.json
