builtins.toFile "a" "x ${builtins.toFile "b" "y"} z"
