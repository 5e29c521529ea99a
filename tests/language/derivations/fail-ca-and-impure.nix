(derivation { name = "x"; builder = "/bin/sh"; system = "s"; __impure = true; __contentAddressed = true; }).outPath
