builtins.warn 1 1
