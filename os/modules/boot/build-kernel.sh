# Builder of boot/kernel.nix, run by busybox sh: $out/kernel and the chosen modules, compressed, with their indices.
set -euf
umask 022
source=$kernelPackage/lib/modules/$release
target=$out/lib/modules/$release
mkdir -p "$target"
cp "$kernelPackage/boot/vmlinuz-$release" "$out/kernel"
run() { program=$1; shift; "$linker" --library-path "$libraries" --argv0 "$program" "$@"; }

# The dependencies of all modules, to find those of the chosen ones.
work=$NIX_BUILD_TOP/tree
mkdir -p "$work/lib/modules/$release"
ln -s "$source/kernel" "$work/lib/modules/$release/kernel"
for file in modules.builtin modules.builtin.modinfo modules.order; do
  if [ -e "$source/$file" ]; then cp "$source/$file" "$work/lib/modules/$release/$file"; cp "$source/$file" "$target/$file"; fi
done
run depmod "$kmod" -b "$work" "$release"

awk -v included="$included" -v needed="$needed" '
  # A shell pattern as a regular expression.
  function regular(pattern) {
    gsub(/[.+^$()|\\{}]/, "\\\\&", pattern); gsub(/\*/, ".*", pattern); gsub(/\?/, ".", pattern); gsub(/_|-/, "[_-]", pattern)
    return "^" pattern "$"
  }
  {
    split($0, half, ": *")
    path = half[1]; depends[path] = substr($0, index($0, ":") + 1)
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
    n = split(needed, want, " ")
    for (i = 1; i <= n; i++) { name = want[i]; gsub(/-/, "_", name); if (name in at) take(at[name]) }
    n = split(included, pattern, " ")
    for (i = 1; i <= n; i++) {
      expression = regular(pattern[i])
      for (name in at) if (name ~ expression || at[name] ~ expression) take(at[name])
    }
    for (path in taken) print path
  }
' "$work/lib/modules/$release/modules.dep" | sort >"$NIX_BUILD_TOP/chosen"
cd "$target"
sed -n 's,/[^/]*$,,p' "$NIX_BUILD_TOP/chosen" | sort -u | xargs mkdir -p
while read -r path; do cp "$source/$path" "$path"; done <"$NIX_BUILD_TOP/chosen"
chmod -R u+w .
find . -name '*.ko' | sort | xargs "$linker" --library-path "$libraries" "$zstd" -q --rm -6 -T1
run depmod "$kmod" -b "$out" "$release"
