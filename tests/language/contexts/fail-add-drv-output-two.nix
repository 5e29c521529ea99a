builtins.addDrvOutputDependencies "${builtins.toFile "a" "b"}${builtins.toFile "c" "d"}"
