builtins.readFile (builtins.toFile "x" "y")
