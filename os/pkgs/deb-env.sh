# Builder of deb-env.nix, run by busybox sh. Merges $packages into $out, with one /usr (bin, sbin and lib* become links
# into it), the alternatives that maintainer scripts would install, and the caches they would generate.
set -eu
umask 022
bb=$busybox
# busybox runs its own applets by name without looking at PATH.
merged="bin sbin lib lib32 lib64 libx32"

$bb mkdir -p "$out/usr" "$out/etc" "$out/nix-support"
for directory in $merged; do
  $bb mkdir -p "$out/usr/$directory"
  $bb ln -s "usr/$directory" "$out/$directory"
done

# copy_tree FROM TO: like cp -a, but merges into directories that exist.
copy_tree() {
  (cd "$1" && $bb find . -type d -print0) | (cd "$2" && $bb xargs -0 $bb mkdir -p)
  # cpio fails on an empty list.
  if [ -n "$(cd "$1" && $bb find . ! -type d | $bb head -n 1)" ]; then
    (cd "$1" && $bb find . ! -type d -print0 | $bb cpio -o -0 -H newc 2>/dev/null) | (cd "$2" && $bb cpio -i -u 2>/dev/null)
  fi
}

for package in $packages; do
  for entry in "$package"/*; do
    top=${entry##*/}
    case " $merged " in
      *" $top "*) if [ -d "$entry" ] && [ ! -L "$entry" ]; then copy_tree "$entry" "$out/usr/$top"; fi ;;
      *)
        if [ "$top" = DEBIAN ]; then continue; fi
        if [ -d "$entry" ] && [ ! -L "$entry" ]; then
          $bb mkdir -p "$out/$top"
          copy_tree "$entry" "$out/$top"
        else
          $bb cp -a "$entry" "$out/$top"
        fi ;;
    esac
  done
  # Links in /bin and the like were relative to the root; one level deeper they are not, so make them absolute.
  for top in $merged; do
    if [ -d "$package/$top" ] && [ ! -L "$package/$top" ]; then
      (cd "$package/$top" && $bb find . -type l) | while read -r link; do
        target=$($bb readlink "$package/$top/$link")
        case $target in
          /*) ;;
          *..*)
            path=$($bb dirname "/$top/${link#./}")/$target
            absolute=
            IFS=/
            for part in $path; do
              case $part in
                '' | .) ;;
                ..) absolute=${absolute%/*} ;;
                *) absolute=$absolute/$part ;;
              esac
            done
            unset IFS
            case $absolute in /usr/*) ;; *) absolute=/usr$absolute ;; esac
            $bb ln -sfn "$absolute" "$out/usr/$top/$link" ;;
        esac
      done
    fi
  done
done

# Alternatives: the highest priority of each link wins, and its slaves come with it. Read from the scripts, not run.
alternatives=$PWD/alternatives
: >"$alternatives"
for package in $packages; do
  if [ -f "$package/DEBIAN/postinst" ]; then
    $bb sed -e ':join' -e '/\\$/{N;s/\\\n/ /;b join' -e '}' "$package/DEBIAN/postinst"
  fi
done | $bb awk '
  function clean(word) { gsub(/["\047;]/, "", word); return word }
  function choose(link, target, priority, more) {
    if (link in best && best[link] >= priority) return
    best[link] = priority; chosen[link] = target; slaves[link] = more
  }
  function filled(text, with) { gsub("[$][{]" variable "[}]", with, text); gsub("[$]" variable, with, text); return text }
  # A loop over names: those of the last one.
  /^[ \t]*for [A-Za-z_]+ in / {
    variable = $2
    values = split($0, value, /[ \t;]+/)
    first = 0
    for (i = 1; i <= values; i++) if (value[i] == "in") { first = i; break }
    for (i = first + 1; i <= values && value[i] != "do" && value[i] != ""; i++) value[i - first] = value[i]
    values = i - first - 1
  }
  /update-alternatives/ && /--install/ {
    n = split($0, word, /[ \t]+/)
    for (i = 1; i <= n; i++) if (word[i] == "--install") break
    link = clean(word[i + 1]); target = clean(word[i + 3]); priority = clean(word[i + 4]) + 0
    if (link !~ /^\// || target !~ /^\//) next
    more = ""
    for (i = i + 5; i <= n; i++)
      if (word[i] == "--slave") more = more clean(word[i + 1]) " " clean(word[i + 3]) "\n"
    if (variable == "" || index(link, "$") == 0) choose(link, target, priority, more)
    else for (j = 1; j <= values; j++) choose(filled(link, value[j]), filled(target, value[j]), priority, filled(more, value[j]))
  }
  END { for (link in chosen) printf "%s %s\n%s", link, chosen[link], slaves[link] }
' | $bb sort -u | while read -r link target; do
  case $link in *'$'* | *..*) continue ;; esac
  case $target in *'$'* | *..*) continue ;; esac
  case $link in /bin/* | /sbin/* | /lib*/*) link=/usr$link ;; esac
  if { [ -e "$out$target" ] || [ -L "$out$target" ]; } && [ ! -e "$out$link" ] && [ ! -L "$out$link" ]; then
    $bb mkdir -p "$out${link%/*}"
    $bb ln -s "$target" "$out$link"
    echo "$link $target" >>"$alternatives"
  fi
done
if [ ! -e "$out/usr/bin/sh" ] && [ ! -L "$out/usr/bin/sh" ]; then
  if [ -e "$out/usr/bin/dash" ]; then $bb ln -s dash "$out/usr/bin/sh"; else $bb ln -s bash "$out/usr/bin/sh"; fi
fi

# What maintainer scripts would have written to /etc.
if [ -d "$out/usr/share/base-passwd" ]; then
  $bb cp "$out/usr/share/base-passwd/passwd.master" "$out/etc/passwd"
  $bb cp "$out/usr/share/base-passwd/group.master" "$out/etc/group"
fi
if [ -d "$out/usr/share/ca-certificates" ]; then
  $bb mkdir -p "$out/etc/ssl/certs"
  $bb find "$out/usr/share/ca-certificates" -name '*.crt' | $bb sort | $bb xargs $bb cat > "$out/etc/ssl/certs/ca-certificates.crt"
fi
if [ -f "$out/usr/share/libc-bin/nsswitch.conf" ]; then
  $bb cp "$out/usr/share/libc-bin/nsswitch.conf" "$out/etc/nsswitch.conf"
fi

# Modules of PHP are on where their packages are, in the order that they name, and its settings are those for servers.
for file in "$out"/usr/share/php*/*/*.ini; do
  version=${file#"$out"/usr/share/php}
  available=$out/etc/php/${version%%-*}/mods-available
  if [ -f "$file" ] && [ -d "$available" ]; then $bb cp "$file" "$available/${file##*/}"; fi
done
for file in "$out"/etc/php/*/mods-available/*.ini; do
  if [ ! -f "$file" ]; then continue; fi
  priority=$($bb sed -n 's/^; *priority=\([0-9]*\).*/\1/p' "$file" | $bb head -n 1)
  for place in "${file%/mods-available/*}"/*/conf.d; do
    if [ -d "$place" ]; then $bb ln -s "../../mods-available/${file##*/}" "$place/${priority:-20}-${file##*/}"; fi
  done
done
for place in "$out"/etc/php/*/*/conf.d; do
  if [ ! -d "$place" ]; then continue; fi
  place=${place%/conf.d}
  version=${place#"$out/etc/php/"}
  settings=$out/usr/lib/php/${version%%/*}/php.ini-production
  if [ "${place##*/}" = cli ]; then settings=$settings.cli; fi
  if [ -f "$settings" ] && [ ! -e "$place/php.ini" ]; then $bb cp "$settings" "$place/php.ini"; fi
done

# Caches, made by the programs of the tree itself; a tree without the program needs no such cache.
generate() {
  if [ -x "$out$1" ]; then
    $bb unshare -r $bb chroot "$out" "$@" >/dev/null 2>&1 || echo "deb-env: '$*' failed; its cache is missing" >&2
  fi
}
$bb chmod -R u+w "$out"
if [ -d "$out/usr/share/glib-2.0/schemas" ]; then
  generate /usr/lib/x86_64-linux-gnu/glib-2.0/glib-compile-schemas /usr/share/glib-2.0/schemas
fi
if [ -d "$out/usr/share/mime/packages" ]; then generate /usr/bin/update-mime-database /usr/share/mime; fi
generate /usr/lib/x86_64-linux-gnu/gdk-pixbuf-2.0/gdk-pixbuf-query-loaders --update-cache
generate /usr/bin/dot -c

# What a profile links of this tree: the programs of the packages that were asked for, each by a script that gives it the
# libraries of the tree, or the tree as /usr where it needs more than libraries; and their documentation.
profile=$out/nix-support/profile
loader=
libraries=
for directory in "$out"/usr/lib/*-linux-gnu; do
  for file in "$directory"/ld-linux-*.so.*; do
    if [ -e "$file" ]; then loader=$file libraries=$directory:$out/usr/lib; fi
  done
done

# start_program FILE: prints the script that starts a program of the tree outside of it.
start_program() {
  echo "#!$bb sh"
  # Interpreters find their own files below /usr unless they are told of others.
  case ${1##*/} in
    perl*)
      modules=$out/usr/share/perl5
      for directory in "${libraries%%:*}"/perl5/* "${libraries%%:*}"/perl/5.* "$out"/usr/share/perl/5.* "${libraries%%:*}/perl-base"; do
        if [ -d "$directory" ]; then modules=$modules:$directory; fi
      done
      echo "export PERL5LIB='$modules'\${PERL5LIB:+:\$PERL5LIB}" ;;
    python3*) echo "export PYTHONHOME='$out/usr'" ;;
    php | php.default | php[0-9]*)
      for directory in "$out"/etc/php/*/cli/conf.d; do
        if [ ! -d "$directory" ]; then continue; fi
        settings=$out/nix-support/php
        if [ ! -e "$settings" ]; then
          $bb mkdir -p "$settings"
          for modules in "$out"/usr/lib/php/2*; do echo "extension_dir=$modules" >"$settings/00-place.ini"; done
          for module in "$directory"/*.ini; do $bb cp "$module" "$settings/${module##*/}"; done
        fi
        echo "export PHPRC='${directory%/conf.d}/php.ini' PHP_INI_SCAN_DIR='$settings'\${PHP_INI_SCAN_DIR:+:\$PHP_INI_SCAN_DIR}"
      done ;;
  esac
  if [ "$($bb head -c 4 "$out$1" | $bb tail -c 3)" = ELF ]; then
    if [ -n "$loader" ] && $bb head -c 4096 "$out$1" | $bb grep -q "ld-linux"; then
      echo "exec '$loader' --library-path '$libraries' --argv0 \"\$0\" '$out$1' \"\$@\""
    else
      echo "exec '$out$1' \"\$@\""
    fi
    return
  fi
  interpreter=$($bb head -n 1 "$out$1" | $bb sed -n 's|^#! *\(/[^ ]*\).*|\1|p')
  case $interpreter in /bin/*) interpreter=/usr$interpreter ;; esac
  echo "if command -v bwrap >/dev/null; then exec bwrap --dev-bind / / --ro-bind '$out/usr' /usr -- '$1' \"\$@\"; fi"
  if [ -n "$loader" ] && [ -n "$interpreter" ] && [ -e "$out$interpreter" ]; then
    echo "export PERL5LIB='$out/usr/share/perl5:${libraries%%:*}/perl-base'"
    echo "exec '$loader' --library-path '$libraries' '$out$interpreter' '$out$1' \"\$@\""
  else
    echo "exec '$out$1' \"\$@\""
  fi
}

$bb mkdir -p "$profile/bin" "$profile/share"
for package in ${roots:-}; do
  for directory in usr/bin bin usr/games usr/sbin sbin; do
    for file in "$package/$directory"/*; do
      name=${file##*/}
      place=/usr/${directory#usr/}/$name
      if [ ! -f "$out$place" ] || [ ! -x "$out$place" ] || [ -e "$profile/bin/$name" ]; then continue; fi
      start_program "$place" > "$profile/bin/$name"
      $bb chmod 755 "$profile/bin/$name"
    done
  done
  for directory in man info applications icons bash-completion; do
    if [ -d "$package/usr/share/$directory" ] && [ ! -e "$profile/share/$directory" ]; then
      $bb ln -s "$package/usr/share/$directory" "$profile/share/$directory"
    fi
  done
done

# The names that programs have as alternatives: php for php8.2.
while read -r link target; do
  name=${link##*/}
  case $link in /usr/bin/* | /usr/sbin/* | /usr/games/*) ;; *) continue ;; esac
  if [ -e "$profile/bin/$name" ]; then continue; fi
  for package in ${roots:-}; do
    if { [ -f "$package$target" ] || [ -L "$package$target" ]; } && [ -x "$out$target" ]; then
      start_program "$target" > "$profile/bin/$name"
      $bb chmod 755 "$profile/bin/$name"
      break
    fi
  done
done <"$alternatives"

# Tells `firn run` and `firn shell` that programs of this tree want it as their /usr.
echo 1 > "$out/nix-support/usr-root"
