map builtins.stringLength [ "" "é" "😀" "a\n" ]
