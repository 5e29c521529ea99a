builtins.match "[[:nope:]]" ""
