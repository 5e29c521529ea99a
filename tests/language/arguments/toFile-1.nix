builtins.toFile 1 "c"
