builtins.toFile (builtins.toFile "a" "b") "c"
