# Builder of writeTree, run by busybox sh, and a part of other builders: makes the files of a manifest below $out. Records are
# "F LINES MODE PATH", the lines of the file following ("f": its last line has no newline), and "L TARGET PATH" for a link.
set -eu
umask 022
manifest=${manifestPath:-$1}
mkdir -p "$out"
# Directories first, all at once; then the files in one pass; links and modes last.
awk '
  /^[Ff] / { n = $2; path = $0; sub(/^[Ff] [0-9]+ [0-9]+ /, "", path) }
  /^L / { n = 0; path = $0; sub(/^L [^ ]+ /, "", path) }
  { if (sub(/\/[^\/]*$/, "", path)) print path; for (; n > 0; n--) getline }
' "$manifest" | sort -u | (cd "$out" && tr '\n' '\0' | xargs -0 -r mkdir -p --)
cd "$out"
awk '
  /^[Ff] / {
    n = $2; mode = $3; open = /^f/
    path = $0; sub(/^[Ff] [0-9]+ [0-9]+ /, "", path)
    printf "" > path
    for (i = 1; i <= n; i++) { getline; if (open && i == n) printf "%s", $0 > path; else print > path }
    close(path)
    if (mode != "644") print "M\t" mode "\t" path
    # The last line of a file can look like a record.
    next
  }
  /^L / { target = $2; path = $0; sub(/^L [^ ]+ /, "", path); print "L\t" target "\t" path }
' "$manifest" | while IFS="$(printf '\t')" read -r kind value path; do
  case $kind in
    L) ln -sfn -- "$value" "$path" ;;
    M) chmod "$value" "$path" ;;
  esac
done
