builtins.getEnv "SOME_VARIABLE"
