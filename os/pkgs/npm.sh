# Builder of npm.nix, run by busybox sh: unpacks each archive to its place below $out.
set -eu
bb=$busybox
set -- $archives
for place in $places; do
  $bb mkdir -p "$out/$place"
  # The one directory at the top of an archive is the package, whatever its name.
  $bb tar -xzf "$1" -C "$out/$place" --strip-components=1
  shift
done
$bb chmod -R u+rwX,go+rX,go-w "$out"
