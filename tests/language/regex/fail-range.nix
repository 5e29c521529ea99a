builtins.match "[z-a]" ""
