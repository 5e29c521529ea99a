# Builder of programs.nix, run by busybox sh: $out/bin has a script for each program of $package and then of $related; the package's
# other directories are linked.
set -eu
umask 022
bb=$busybox
$bb mkdir -p "$out/bin"
$bb ln -s bin "$out/sbin"
$bb ln -s "$package" "$out/deb"
for directory in "$package"/usr/* "$package"/*; do
  name=${directory##*/}
  case $name in bin | sbin | games | DEBIAN) continue ;; esac
  if [ -e "$directory" ] && [ ! -e "$out/$name" ]; then $bb ln -s "$directory" "$out/$name"; fi
done
# What configurations include from nginx's own directory.
for member in $closure; do
  if [ -d "$member/etc/nginx" ] && [ ! -e "$out/conf" ]; then $bb ln -s "$member/etc/nginx" "$out/conf"; fi
done

if [ -n "$environment" ]; then
  for file in "$environment"/nix-support/profile/bin/*; do
    if [ -e "$file" ]; then $bb ln -s "$file" "$out/bin/${file##*/}"; fi
  done
  exit 0
fi

# Directories with libraries: those of the linker, and those below that only one package's programs look at.
loader=
libraries=
private=
for member in $closure; do
  for directory in "$member"/usr/lib/*-linux-gnu "$member"/lib/*-linux-gnu "$member/usr/lib" "$member/lib"; do
    [ -d "$directory" ] || continue
    for file in "$directory"/ld-linux-*.so.*; do if [ -e "$file" ]; then loader=$file; fi; done
    for file in "$directory"/*.so*; do
      if [ -e "$file" ]; then libraries=$libraries${libraries:+:}$directory; break; fi
    done
    for below in "$directory"/*/; do
      case $below in *-linux-gnu/) continue ;; esac
      for file in "$below"lib*.so*; do
        if [ -e "$file" ]; then private=$private:${below%/}; break; fi
      done
    done
  done
done
libraries=$libraries$private

# resolve PATH: the real file of a program, which can be a link into another package of the closure.
resolve() {
  file=$1
  for _ in 1 2 3 4 5 6 7 8; do
    if [ ! -L "$file" ]; then break; fi
    target=$($bb readlink "$file")
    case $target in
      /*) ;;
      *) target=${file%/*}/$target; for member in $closure; do target=${target#"$member"}; done ;;
    esac
    found=
    for member in $closure; do
      if [ -e "$member$target" ] || [ -L "$member$target" ]; then found=$member$target; break; fi
    done
    if [ -z "$found" ]; then return 1; fi
    file=$found
  done
  [ -f "$file" ] && [ -x "$file" ]
}

# add NAME FILE: makes the script that starts a program.
add() {
  if [ -e "$out/bin/$1" ] || ! resolve "$2"; then return 0; fi
  if [ "$($bb head -c 4 "$file" | $bb tail -c 3)" = ELF ]; then
    if [ -n "$loader" ] && $bb head -c 4096 "$file" | $bb grep -q ld-linux; then
      start="exec '$loader' --library-path '$libraries' --argv0 \"\$0\" '$file' \"\$@\""
    else
      start="exec '$file' \"\$@\""
    fi
  else
    # A script of a shell: busybox has the shell, the machine the programs.
    start="exec '$file' \"\$@\""
  fi
  printf '#!%s sh\n%s\n' "$bb" "$start" >"$out/bin/$1"
  $bb chmod 755 "$out/bin/$1"
}
for member in "$package" $related; do
  for directory in usr/bin bin usr/sbin sbin usr/games; do
    for program in "$member/$directory"/*; do
      if [ -e "$program" ] || [ -L "$program" ]; then add "${program##*/}" "$program"; fi
    done
  done
  # The names that programs have as alternatives: vim for vim.basic.
  if [ -f "$member/DEBIAN/postinst" ]; then
    $bb sed -e ':join' -e '/\\$/{N;s/\\\n/ /;b join' -e '}' "$member/DEBIAN/postinst" | $bb awk '
      function clean(word) { gsub(/["\047;]/, "", word); return word }
      /update-alternatives/ && /--install/ {
        n = split($0, word, /[ \t]+/)
        for (i = 1; i < n; i++) if (word[i] == "--install") print clean(word[i + 1]), clean(word[i + 3])
      }' | while read -r link target; do
      case $link$target in *'$'* | *..*) continue ;; esac
      case $link in
        */bin/* | */sbin/*) if [ -e "$member$target" ] || [ -L "$member$target" ]; then add "${link##*/}" "$member$target"; fi ;;
      esac
    done
  fi
done
