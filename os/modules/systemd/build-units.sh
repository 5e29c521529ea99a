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

# A unit that starts what is not there would fail on the machine only, with the status 203/EXEC. Of a script the programs are looked at
# that it names by a path of the store.
[ "$scope" = user ] && options=systemd.user.services || options=systemd.services

# near WANTED DIRECTORY: names in a directory that are a few letters from the wanted one, as ", did you mean 'a' or 'b'?".
near() {
  [ -d "$2" ] || return 0
  ls "$2" | awk -v wanted="$1" '
    function min(a, b) { return a < b ? a : b }
    function distance(a, b,   i, j, above, here, left) {
      for (j = 0; j <= length(b); j++) row[j] = j
      for (i = 1; i <= length(a); i++) {
        above = row[0]; row[0] = i
        for (j = 1; j <= length(b); j++) {
          left = row[j]
          row[j] = min(min(row[j], row[j - 1]) + 1, above + (substr(a, i, 1) != substr(b, j, 1)))
          above = left
        }
      }
      return row[length(b)]
    }
    { d = distance(wanted, $0); if (d <= 1 + length(wanted) / 4 && !(d in names)) names[d] = $0; else if (index($0, wanted) == 1 && !(9 in names)) names[9] = $0 }
    END { for (d = 0; d <= 9; d++) if (d in names) { list = list (list == "" ? "" : " or ") "\047" names[d] "\047"; if (++n == 2) break } if (n) print ", did you mean " list "?" }
  '
}

# missing UNIT OPTION VERB PROGRAM PLACE: tells of a program that is not there.
missing() {
  if [ -e "$5" ] || [ -L "$5" ]; then return 0; fi
  echo "the unit '$1' $3 '$4', which does not exist (option '$options.${1%.service}.$2')$(near "${5##*/}" "${5%/*}")"
}

# option_of NAME: the option that makes a script of this phase.
option_of() {
  case $1 in
    *-pre-start) echo preStart ;;
    *-post-start) echo postStart ;;
    *-pre-stop) echo preStop ;;
    *-post-stop) echo postStop ;;
    *-reload) echo reload ;;
    *) echo script ;;
  esac
}

find . -type f \( -name '*.service' -o -name 'overrides.conf' \) | sort | while read -r file; do
  case $file in */overrides.conf) unit=${file%.d/overrides.conf} ;; *) unit=$file ;; esac
  unit=${unit#./}
  sed -n 's/^\(Exec[A-Za-z]*\)=[@:+!|]*\(\/.*\)/\1 \2/p' "$file" | sed 's/\( [^ "%$]*\).*/\1/' | while read -r key program; do
    case $program in
      /nix/store/*-unit-script-*)
        # What no derivation of the system names is not here to be looked at.
        [ -e "$program" ] || continue
        option=$(option_of "$program")
        grep -o '/nix/store/[0-9a-z]*-[^/ "'"'"'`;|&()<>]*/s\?bin/[A-Za-z0-9._+-]*' "$program" | sort -u | while read -r named; do
          object=${named#/nix/store/}
          if [ -e "/nix/store/${object%%/*}" ]; then missing "$unit" "$option" names "$named" "$named"; fi
        done
        continue ;;
      /nix/store/*)
        object=${program#/nix/store/}
        [ -e "/nix/store/${object%%/*}" ] || continue
        place=$program ;;
      /run/current-system/sw/*) place=$sw${program#/run/current-system/sw} ;;
      /usr/local/*) continue ;;
      /usr/* | /bin/* | /sbin/*) place=$env/usr/${program#/usr} ;;
      *) continue ;;
    esac
    missing "$unit" "serviceConfig.$key" starts "$program" "$place"
  done
done >"$NIX_BUILD_TOP/missing"
if [ -s "$NIX_BUILD_TOP/missing" ]; then
  cat "$NIX_BUILD_TOP/missing" >&2
  echo "name the package that has it in environment.systemPackages, or a program that its package has" >&2
  exit 1
fi
