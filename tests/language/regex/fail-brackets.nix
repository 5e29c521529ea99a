builtins.match "[a" ""
