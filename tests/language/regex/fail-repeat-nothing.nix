builtins.match "*a" ""
