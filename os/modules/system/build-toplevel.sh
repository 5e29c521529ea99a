# Builder of system/toplevel.nix, run by busybox sh.
set -eu
umask 022
mkdir -p "$out/bin"
ln -s "$env/usr" "$out/usr"
ln -s "$sw" "$out/sw"
ln -s "$etc/etc" "$out/etc"
if [ -n "$kernel" ]; then
  ln -s "$kernel/kernel" "$out/kernel"
  ln -s "$kernel" "$out/kernel-modules"
fi
if [ -n "$initrd" ]; then ln -s "$initrd/initrd" "$out/initrd"; fi
printf '%s' "$kernelParams" >"$out/kernel-params"
printf '%s' "$system" >"$out/system"
printf '%s' "$firnVersion" >"$out/firn-version"

# install FILE NAME: with the paths of this very system in place of their marks.
install_script() {
  sed -e "s,@out@,$out,g" "$1" >"$out/$2"
  chmod 755 "$out/$2"
}
install_script "$initPath" init
install_script "$activatePath" activate
install_script "$dryActivatePath" dry-activate
if [ -n "$kernel" ]; then
  sed -e "s,@out@,$out,g" -e "s,@kernel@,$kernel/kernel,g" -e "s,@initrd@,$initrd/initrd,g" "$bootspecPath" >"$out/boot.json"
fi

# The packages as JSON; names and versions of Debian packages need no escapes.
awk -F '\t' '
  { list = list (NR > 1 ? ", " : "") "{\"name\":\"" $1 "\",\"version\":\"" $2 "\",\"size\":" $3 "}" }
  END { print "[" list "]" }
' "$env/nix-support/packages" >"$NIX_BUILD_TOP/packages"
awk -v list="$NIX_BUILD_TOP/packages" '
  BEGIN { getline packages < list }
  {
    at = index($0, "\"@packages@\"")
    if (at) print substr($0, 1, at - 1) packages substr($0, at + 12)
    else print
  }
' "$factsPath" >"$out/firn-os.json"

# Tools made for NixOS run this program of a system.
cat >"$out/bin/switch-to-configuration" <<EOF
#!$busybox sh
PATH=/run/wrappers/bin:/run/current-system/sw/bin:/usr/bin:/usr/sbin:\$PATH
case \${1-} in
  switch | boot | test | dry-activate) exec firn os "\$1" --store-path "$out" ;;
  check) exit 0 ;;
  *) echo "Usage: \$0 [check|switch|boot|test|dry-activate]" >&2; exit 1 ;;
esac
EOF
chmod 755 "$out/bin/switch-to-configuration"
. "$extraPath"

# What variants start, each as its own file says.
if [ -f "$out/boot.json" ] && [ -d "$out/specialisation" ]; then
  list=
  for variant in "$out"/specialisation/*; do
    if [ -f "$variant/boot.json" ]; then list=$list${list:+,}\"${variant##*/}\":$(cat "$variant/boot.json"); fi
  done
  printf '%s' "$list" >"$NIX_BUILD_TOP/variants"
  awk -v file="$NIX_BUILD_TOP/variants" -v none='"org.nixos.specialisation.v1":{}' '
    BEGIN { getline variants < file }
    {
      at = index($0, none)
      if (at) print substr($0, 1, at + length(none) - 2) variants substr($0, at + length(none) - 1)
      else print
    }
  ' "$out/boot.json" >"$NIX_BUILD_TOP/boot.json"
  cat "$NIX_BUILD_TOP/boot.json" >"$out/boot.json"
fi
