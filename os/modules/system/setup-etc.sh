# Part of the activation script (busybox sh): makes /etc show the tree $1. /etc/static is renamed to it in one step; the links
# /etc/X -> /etc/static/X that are new are made and those that are gone removed, everything else in /etc is left alone.
# Entries with a mode are copied; the list of copies is /etc/.clean.
etc=$1
mkdir -p /etc /run/firn
rm -f /etc/.static.new
ln -s "$etc" /etc/.static.new
mv -T -f /etc/.static.new /etc/static

# Three lists: what is wanted, what is there, what was copied before.
(cd /etc/static/ && find . ! -type d) | sed 's,^\./,,' >/run/firn/etc-wanted
find /etc -path /etc/static -prune -o -type l -exec stat -c %N {} + 2>/dev/null | sed -n "s,^'/etc/\(.*\)' -> '\(.*\)'\$,\1	\2,p" >/run/firn/etc-present
touch /etc/.clean
awk -F '\t' '
  FILENAME ~ /wanted$/ { wanted[$1] = 1; next }
  FILENAME ~ /present$/ { present[$1] = $2; next }
  { copied[$1] = 1 }
  END {
    for (path in wanted) {
      base = path
      if (sub(/\.(mode|uid|gid)$/, "", base) && (base ".mode") in wanted) continue
      if ((path ".mode") in wanted) { print "copy\t" path; continue }
      if (present[path] != "/etc/static/" path) print "link\t" path
    }
    for (path in present)
      if (index(present[path], "/etc/static/") == 1 && (!(path in wanted) || (path ".mode") in wanted))
        if (!((path ".mode") in wanted)) print "remove\t" path
    for (path in copied) if (!((path ".mode") in wanted)) print (path in wanted ? "skip" : "remove") "\t" path
  }
' /run/firn/etc-wanted /run/firn/etc-present /etc/.clean | sort >/run/firn/etc-plan

: >/run/firn/etc-clean
while IFS="$(printf '\t')" read -r action path; do
  target=/etc/$path
  case $action in
    link | copy)
      case $path in */*) [ -d "${target%/*}" ] || mkdir -p "${target%/*}" ;; esac
      if [ -d "$target" ] && [ ! -L "$target" ]; then
        if ! rmdir "$target" 2>/dev/null; then
          echo "warning: $target is a directory that is not the system's; it is left as it is" >&2
          continue
        fi
      fi ;;
  esac
  case $action in
    link)
      rm -f "$target.firn-new"
      ln -s "/etc/static/$path" "$target.firn-new"
      mv -T -f "$target.firn-new" "$target" ;;
    copy)
      read -r mode <"/etc/static/$path.mode"
      read -r uid <"/etc/static/$path.uid"
      read -r gid <"/etc/static/$path.gid"
      rm -f "$target.firn-new"
      cp "/etc/static/$path" "$target.firn-new"
      chown "${uid#+}:${gid#+}" "$target.firn-new"
      chmod "$mode" "$target.firn-new"
      mv -T -f "$target.firn-new" "$target"
      echo "$path" >>/run/firn/etc-clean ;;
    remove)
      rm -f "$target"
      directory=${target%/*}
      while [ "$directory" != /etc ] && rmdir "$directory" 2>/dev/null; do directory=${directory%/*}; done ;;
  esac
done </run/firn/etc-plan
mv -f /run/firn/etc-clean /etc/.clean
rm -f /run/firn/etc-wanted /run/firn/etc-present /run/firn/etc-plan
