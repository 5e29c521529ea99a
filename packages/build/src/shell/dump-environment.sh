# The builder of a development environment: reads the setup of the standard environment as a build would, then writes the
# functions and variables of the shell as JSON to the first output. It runs in whatever bash the derivation has, without
# any program on the search path.
set -e

if [ -e "${NIX_ATTRS_SH_FILE-}" ]; then source "$NIX_ATTRS_SH_FILE"; fi
export IN_NIX_SHELL=impure dontAddDisableDepTrack=1
if [ -n "${stdenv-}" ]; then source "$stdenv/setup"; fi

# Sets _firn_json to the JSON string of a text.
_firn_quote() {
  local _firn_text=$1 _firn_char _firn_code
  _firn_text=${_firn_text//\\/\\\\}
  _firn_text=${_firn_text//\"/\\\"}
  _firn_text=${_firn_text//$'\n'/\\n}
  _firn_text=${_firn_text//$'\r'/\\r}
  _firn_text=${_firn_text//$'\t'/\\t}
  if [[ $_firn_text == *[$'\001'-$'\037']* ]]; then
    for _firn_code in 01 02 03 04 05 06 07 08 0b 0c 0e 0f 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f; do
      printf -v _firn_char "\\x$_firn_code"
      _firn_text=${_firn_text//"$_firn_char"/\\u00$_firn_code}
    done
  fi
  _firn_json=\"$_firn_text\"
}

_firn_functions() {
  local _firn_line _firn_name _firn_body _firn_comma=
  while IFS= read -r _firn_line; do
    _firn_name=${_firn_line##* }
    case $_firn_name in _firn_*) continue ;; esac
    _firn_body=$(declare -f "$_firn_name")
    _firn_body=${_firn_body#*\{}
    _firn_quote "$_firn_name"
    printf '%s%s:' "$_firn_comma" "$_firn_json"
    _firn_quote "${_firn_body%\}}"
    printf '%s' "$_firn_json"
    _firn_comma=,
  done <<<"$(declare -F)"
}

_firn_dump() {
  printf '{"bashFunctions":{'
  _firn_functions
  printf '},"variables":{'
  _firn_variables
  printf '}'
  if [ -e "${NIX_ATTRS_SH_FILE-}" ]; then
    _firn_quote "$(<"$NIX_ATTRS_JSON_FILE")"
    printf ',"structuredAttrs":{".attrs.json":%s' "$_firn_json"
    _firn_quote "$(<"$NIX_ATTRS_SH_FILE")"
    printf ',".attrs.sh":%s}' "$_firn_json"
  fi
  printf '}'
}

# Prints the variables that are plain, exported, lists or tables. A line of a value that looks like a declaration names nothing
# that is declared, or something that is found anyway. (The value of LINENO is the reference's when that is read in line 79.)
_firn_variables() {
  local _firn_line _firn_name _firn_flags _firn_comma= _firn_key _firn_inner
  local -A _firn_seen=()
  local -a _firn_keys=() _firn_values=()
  while IFS= read -r _firn_line; do
    [[ $_firn_line == 'declare -'* ]] || continue
    _firn_name=${_firn_line#declare -* }
    _firn_name=${_firn_name%%=*}
    [[ $_firn_name == [A-Za-z_]* && $_firn_name != *[!A-Za-z0-9_]* ]] || continue
    case $_firn_name in
      _firn_* | _ | BASH_* | COMP_WORDBREAKS | DIRSTACK | EPOCHREALTIME | EPOCHSECONDS | FUNCNAME | GROUPS | HOSTNAME) continue ;;
      PIPESTATUS | PWD | RANDOM | SECONDS | SHLVL | SRANDOM) continue ;;
    esac
    [ -z "${_firn_seen[$_firn_name]-}" ] || continue
    _firn_seen[$_firn_name]=1
    _firn_flags=$(declare -p "$_firn_name" 2>/dev/null) || continue
    _firn_flags=${_firn_flags#declare -}
    _firn_flags=${_firn_flags%% *}
    case $_firn_flags in
      x | -)
        _firn_quote "${!_firn_name-}"
        if [ "$_firn_flags" = x ]; then _firn_line=exported; else _firn_line=var; fi
        printf '%s"%s":{"type":"%s","value":%s}' "$_firn_comma" "$_firn_name" "$_firn_line" "$_firn_json"
        ;;
      a)
        eval "_firn_values=(\"\${$_firn_name[@]}\")"
        printf '%s"%s":{"type":"array","value":[' "$_firn_comma" "$_firn_name"
        _firn_inner=
        for _firn_key in "${_firn_values[@]}"; do
          _firn_quote "$_firn_key"
          printf '%s%s' "$_firn_inner" "$_firn_json"
          _firn_inner=,
        done
        printf ']}'
        ;;
      A)
        eval "_firn_keys=(\"\${!$_firn_name[@]}\") _firn_values=(\"\${$_firn_name[@]}\")"
        printf '%s"%s":{"type":"associative","value":{' "$_firn_comma" "$_firn_name"
        _firn_inner=
        for _firn_key in "${!_firn_keys[@]}"; do
          _firn_quote "${_firn_keys[_firn_key]}"
          printf '%s%s:' "$_firn_inner" "$_firn_json"
          _firn_quote "${_firn_values[_firn_key]}"
          printf '%s' "$_firn_json"
          _firn_inner=,
        done
        printf '}}'
        ;;
      *) continue ;;
    esac
    _firn_comma=,
  done <<<"$(declare -p)"
}

if [[ $(declare -p outputs 2>/dev/null) == 'declare -A'* ]]; then
  _firn_outputs=("${outputs[@]}")
else
  _firn_outputs=()
  for _firn_output in ${outputs:-out}; do _firn_outputs+=("${!_firn_output}"); done
fi
set +eu +o pipefail
_firn_dump >"${_firn_outputs[0]}" || exit 1
for _firn_output in "${_firn_outputs[@]:1}"; do : >"$_firn_output"; done
