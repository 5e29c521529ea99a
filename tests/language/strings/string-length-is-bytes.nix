map builtins.stringLength [ "" "abc" "é" "日本" ]
