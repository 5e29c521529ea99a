(derivation { name = "x"; builder = "b"; system = "s"; list = [ 1 [ { } ] ]; }).outPath
