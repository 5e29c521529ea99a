(derivation { name = "a${builtins.toFile "x" "y"}"; builder = "b"; system = "s"; }).outPath
