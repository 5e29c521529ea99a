builtins.split "(a|ab)(c|bcd)?" "xabcdy"
