# The phases of mk-derivation.nix, run by bash. Each phase is a function of its name, replaced by the attribute of that
# name when the derivation has one; preX and postX run around it; dontX skips it.
set -euo pipefail
shopt -s nullglob

out=${out:-}
: "${phases:=unpackPhase patchPhase configurePhase buildPhase checkPhase installPhase fixupPhase}"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1} LC_ALL=C.UTF-8 TZ=UTC
export CONFIG_SHELL=/bin/bash
prefix=${prefix:-$out}

# The linker as the compiler finds it: programs get the store's dynamic linker, and a run path to every library
# directory of the environment, which fixupPhase then cuts down to what they use.
libraryDirectories=()
for package in $libraryPackages; do
  for directory in "$package"/lib/x86_64-linux-gnu "$package"/usr/lib/x86_64-linux-gnu; do
    libraries=("$directory"/*.so.*)
    if (( ${#libraries[@]} > 0 )); then libraryDirectories+=("$directory"); fi
  done
done
# Newer suites ship the libc below /usr only.
for directory in "$libc"/lib "$libc"/usr/lib; do
  if [[ -e $directory/x86_64-linux-gnu/ld-linux-x86-64.so.2 ]]; then
    interpreter=$directory/x86_64-linux-gnu/ld-linux-x86-64.so.2
    break
  fi
done
toolDirectory=$NIX_BUILD_TOP/.tools
mkdir -p "$toolDirectory"
for linker in ld ld.bfd; do
  cat > "$toolDirectory/$linker" <<EOF
#!/bin/bash
exec /usr/bin/ld.bfd "\$@" --disable-new-dtags $(printf -- '-rpath %s ' "${libraryDirectories[@]}") --dynamic-linker $interpreter
EOF
  chmod +x "$toolDirectory/$linker"
done
export COMPILER_PATH=$toolDirectory

# runHook NAME: a function or the text of an attribute of that name, if there is one.
runHook() {
  if declare -F "$1" >/dev/null; then "$1"; elif [[ -n ${!1-} ]]; then eval "${!1}"; fi
}

runPhase() {
  local phase=$1 name=${1%Phase}
  local skip="dont${name^}"
  if [[ -n ${!skip-} ]]; then return; fi
  if [[ $phase == checkPhase && -z ${doCheck-} ]]; then return; fi
  echo "@nix { \"action\": \"setPhase\", \"phase\": \"$phase\" }" >&"${NIX_LOG_FD:-2}"
  echo "Running phase: $phase"
  runHook "pre${name^}"
  if [[ -n ${!phase-} ]]; then eval "${!phase}"; else "$phase"; fi
  runHook "post${name^}"
}

unpackPhase() {
  local source before after
  before=$(ls)
  for source in ${srcs:-${src:?variable src or srcs should point to the source}}; do
    if [[ -d $source ]]; then
      cp -r --no-preserve=ownership "$source" "$(stripHash "$source")"
    else
      case $(stripHash "$source") in
        *.tar | *.tar.* | *.tgz | *.txz | *.tbz2) tar -xf "$source" --no-same-owner ;;
        *) echo "do not know how to unpack source archive $source" >&2; return 1 ;;
      esac
    fi
  done
  if [[ -z ${sourceRoot-} ]]; then
    after=$(comm -13 <(sort <<<"$before") <(ls | sort))
    if [[ $(wc -l <<<"$after") != 1 || ! -d $after ]]; then
      echo "unpacker produced not exactly one directory: set sourceRoot" >&2
      return 1
    fi
    sourceRoot=$after
  fi
  echo "source root is $sourceRoot"
  chmod -R u+w -- "$sourceRoot"
  cd "$sourceRoot"
}

# stripHash PATH: the name of a store path without its hash.
stripHash() {
  local base=${1##*/}
  if [[ $base =~ ^[a-z0-9]{32}- ]]; then echo "${base:33}"; else echo "$base"; fi
}

patchPhase() {
  local file
  for file in ${patches-}; do
    echo "applying patch $file"
    case $file in
      *.gz) gzip -dc "$file" ;;
      *.bz2) bzip2 -dc "$file" ;;
      *.xz) xz -dc "$file" ;;
      *) cat "$file" ;;
    esac | patch ${patchFlags:--p1}
  done
}

configurePhase() {
  local script=${configureScript:-./configure}
  if [[ -x $script ]]; then
    # Flags are words, as make's are: an attribute that is a list arrives joined by spaces.
    $script --prefix="$prefix" ${configureFlags-}
  else
    echo "no configure script, doing nothing"
  fi
}

makefileExists() {
  [[ -e Makefile || -e makefile || -e GNUmakefile || -n ${makefile-} ]]
}

buildPhase() {
  if makefileExists; then
    make ${makefile:+-f $makefile} -j"${NIX_BUILD_CORES:-1}" SHELL=/bin/bash ${makeFlags-} ${buildFlags-}
  else
    echo "no Makefile, doing nothing"
  fi
}

checkPhase() {
  make ${makefile:+-f $makefile} -j"${NIX_BUILD_CORES:-1}" SHELL=/bin/bash ${makeFlags-} ${checkFlags-} ${checkTarget:-check}
}

installPhase() {
  make ${makefile:+-f $makefile} SHELL=/bin/bash prefix="$prefix" ${makeFlags-} ${installFlags-} ${installTargets:-install}
}

isElf() {
  local magic
  IFS= LC_ALL=C read -r -n 4 magic < "$1" || true
  [[ $magic == $'\x7fELF' ]]
}

# The directories of the libraries that a file needs, directly or through other libraries, one a line.
neededDirectories() {
  local -A seen=()
  local queue=("$1") file library directory
  while (( ${#queue[@]} > 0 )); do
    file=${queue[0]}
    queue=("${queue[@]:1}")
    for library in $(patchelf --print-needed "$file"); do
      if [[ -n ${seen[$library]-} ]]; then continue; fi
      for directory in "$out"/lib "${libraryDirectories[@]}"; do
        if [[ -e $directory/$library ]]; then
          seen[$library]=1
          echo "$directory"
          queue+=("$directory/$library")
          break
        fi
      done
    done
  done | sort -u
}

fixupPhase() {
  local output file directories
  for output in ${outputs:-out}; do
    if [[ ! -e ${!output} ]]; then
      echo "builder failed to produce output path for output '$output'" >&2
      return 1
    fi
    while IFS= read -r -d '' file; do
      if ! isElf "$file"; then continue; fi
      if [[ -z ${dontStrip-} ]]; then strip --strip-debug "$file" 2>/dev/null || true; fi
      if [[ -z ${dontPatchELF-} ]] && patchelf --print-needed "$file" >/dev/null 2>&1; then
        directories=$(neededDirectories "$file")
        patchelf --force-rpath --set-rpath "${directories//$'\n'/:}" "$file"
      fi
    done < <(find "${!output}" -type f \( -perm -u+x -o -name '*.so*' -o -name '*.a' -o -name '*.o' \) -print0)
  done
}

cd "$NIX_BUILD_TOP"
for phase in $phases; do runPhase "$phase"; done
