# Builder of system/etc.nix, run by busybox sh: $out/etc with the declared entries, and links to the packages' defaults for
# the rest.
set -euf
umask 022
mkdir -p "$out/etc"
sh "$writeTree"

# Names below /etc that no package default is linked at.
excluded() {
  for pattern in $excludeEtc; do
    case $1 in $pattern) return 0 ;; esac
  done
  return 1
}

set +f
for path in "$env/etc"/*; do
  name=${path##*/}
  set -f
  if ! excluded "$name"; then echo "$name"; fi
  set +f
done >"$NIX_BUILD_TOP/names"
(cd "$env/etc" && while read -r name; do find "$name" ! -type d; done <"$NIX_BUILD_TOP/names") | sort >"$NIX_BUILD_TOP/defaults"

# A declared entry hides a default of the same path, and a declared file or link hides all defaults below it.
(cd "$out/etc" && find . ! -type d) | sed 's,^\./,,' | awk -v defaults="$NIX_BUILD_TOP/defaults" '
  { declared[$0] = 1 }
  END {
    while ((getline path < defaults) > 0) {
      hidden = 0
      part = path
      do if (part in declared) hidden = 1; while (sub(/\/[^\/]*$/, "", part))
      if (!hidden) print path
    }
  }
' >"$NIX_BUILD_TOP/links"
cd "$out/etc"
sed -n 's,/[^/]*$,,p' "$NIX_BUILD_TOP/links" | sort -u | tr '\n' '\0' | xargs -0 -r mkdir -p
while read -r path; do ln -s "$env/etc/$path" "$path"; done <"$NIX_BUILD_TOP/links"
