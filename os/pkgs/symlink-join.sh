# Builder of symlinkJoin, run by busybox sh: links the files below $pathsToLink of $paths into $out.
set -eu
umask 022
mkdir -p "$out"
for path in $paths; do
  for part in $pathsToLink; do
    part=${part#/}
    [ -d "$path/$part" ] || continue
    mkdir -p "$out/$part"
    (cd "$path/$part" && find -L . -type d 2>/dev/null) | (cd "$out/$part" && xargs -r mkdir -p)
    (cd "$path/$part" && find -L . ! -type d 2>/dev/null) | while read -r file; do
      target=$out/$part/${file#./}
      if [ ! -e "$target" ] && [ ! -L "$target" ]; then ln -s "$path/$part/${file#./}" "$target"; fi
    done
  done
done
