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

# A unit that starts what is not there would fail on the machine only, with the status 203/EXEC.
find . -type f \( -name '*.service' -o -name 'overrides.conf' \) | sort | while read -r file; do
  sed -n 's/^Exec[A-Za-z]*=[@:+!|]*\(\/.*\)/\1/p' "$file" | sed 's/[ "%$].*//' | while read -r program; do
    case $program in
      /nix/store/*)
        object=${program#/nix/store/}
        # What no derivation of the system names is not here to be looked at.
        [ -e "/nix/store/${object%%/*}" ] || continue
        place=$program ;;
      /run/current-system/sw/*) place=$sw${program#/run/current-system/sw} ;;
      /usr/local/*) continue ;;
      /usr/* | /bin/* | /sbin/*) place=$env/usr/${program#/usr} ;;
      *) continue ;;
    esac
    if [ ! -e "$place" ] && [ ! -L "$place" ]; then echo "the unit '${file#./}' starts '$program', which does not exist"; fi
  done
done >"$NIX_BUILD_TOP/missing"
if [ -s "$NIX_BUILD_TOP/missing" ]; then
  cat "$NIX_BUILD_TOP/missing" >&2
  echo "name the package that has it in environment.systemPackages, or a program that its package has" >&2
  exit 1
fi
