builtins.getEnv (builtins.toFile "a" "b")
