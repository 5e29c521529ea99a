builtins.filter (x: true) "l"
