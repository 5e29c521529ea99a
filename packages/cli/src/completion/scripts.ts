/** The scripts with which shells complete command lines; each asks the program itself by `NIX_GET_COMPLETIONS`. */

const bash = String.raw`# Bash completion of firn: . <(firn completion bash)
_complete_firn() {
    local -a words
    local cword cur answer have_type=
    if type _get_comp_words_by_ref >/dev/null 2>&1; then
        _get_comp_words_by_ref -n ':=&' words cword cur
    else
        words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD cur=\${COMP_WORDS[COMP_CWORD]}
    fi
    while IFS=$'\t' read -r answer _; do
        if [[ -z $have_type ]]; then
            have_type=1
            case $answer in
                filenames) compopt -o filenames -o nospace ;;
                attrs) compopt -o nospace ;;
            esac
        else
            COMPREPLY+=("$answer")
        fi
    done < <(NIX_GET_COMPLETIONS=$cword "\${words[@]/#\~/$HOME}" 2>/dev/null)
    if type __ltrim_colon_completions >/dev/null 2>&1; then __ltrim_colon_completions "$cur"; fi
}
complete -F _complete_firn firn
`;

const zsh = String.raw`#compdef firn
# Zsh completion of firn: firn completion zsh > DIRECTORY-OF-FPATH/_firn
_firn() {
    local line kind value description
    local -a lines values shown
    lines=("\${(@f)$(NIX_GET_COMPLETIONS=$((CURRENT - 1)) "\${words[@]}" 2>/dev/null)}")
    kind=$lines[1]
    for line in "\${(@)lines[2,-1]}"; do
        value=\${line%%$'\t'*}
        description=\${line#*$'\t'}
        values+=("$value")
        if [[ -n $description ]]; then shown+=("$value -- $description"); else shown+=("$value"); fi
    done
    case $kind in
        filenames) compadd -f -S "" -a values ;;
        attrs) compadd -S "" -d shown -a values ;;
        *) compadd -l -d shown -a values ;;
    esac
}
if [[ $zsh_eval_context == *func ]]; then _firn "$@"; else compdef _firn firn; fi
`;

const fish = `# Fish completion of firn: firn completion fish > ~/.config/fish/completions/firn.fish
function __firn_complete
    set -l before (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    env NIX_GET_COMPLETIONS=(count $before) $before $current 2>/dev/null | tail -n +2
end
complete --command firn --no-files --arguments '(__firn_complete)'
`;

/** The scripts by shell. */
export const completionScripts: ReadonlyMap<string, string> = new Map(
  // A raw text keeps the backslash that keeps a dollar from starting an expression.
  Object.entries({ bash, zsh, fish }).map(([shell, text]) => [shell, text.replaceAll("\\${", "${")]),
);
