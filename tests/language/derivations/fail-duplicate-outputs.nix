(derivation { name = "x"; builder = "b"; system = "s"; outputs = [ "out" "out" ]; }).outPath
