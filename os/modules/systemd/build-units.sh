# Builder of systemd/systemd.nix, run by busybox sh: $out is /etc/systemd/$scope. A definition under unit/ is a file of its own;
# one under dropin/ is a drop-in where a package brings the unit, else a file too.
set -eu
umask 022
sh "$writeTree"
cd "$out"
for package in $packages; do
  for directory in "$package/etc/systemd/$scope" "$package/lib/systemd/$scope"; do
    [ -d "$directory" ] || continue
    (cd "$directory" && find . ! -type d) | while read -r file; do
      mkdir -p "${file%/*}"
      [ -e "$file" ] || ln -s "$directory/${file#./}" "$file"
    done
  done
done
vendor=$env/usr/lib/systemd/$scope
if [ -d unit ]; then
  for file in unit/*; do
    name=${file#unit/}
    rm -f "$name"
    mv "$file" "$name"
  done
  rmdir unit
fi
if [ -d dropin ]; then
  for file in dropin/*; do
    name=${file#dropin/}
    # foo@bar.service is an instance of foo@.service.
    case $name in
      *@.*) template=$name ;;
      *@*) template=${name%%@*}@.${name##*.} ;;
      *) template=$name ;;
    esac
    if [ -e "$vendor/$name" ] || [ -L "$vendor/$name" ] || [ -e "$vendor/$template" ] || [ -e "$template" ]; then
      mkdir -p "$name.d"
      mv "$file" "$name.d/overrides.conf"
    else
      mv "$file" "$name"
    fi
  done
  rmdir dropin
fi
if [ -n "${defaultUnit:-}" ]; then
  ln -sfn "$vendor/$defaultUnit" default.target
  [ -e default.target ] || ln -sfn "$defaultUnit" default.target
fi
