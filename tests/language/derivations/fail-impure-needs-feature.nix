(derivation { name = "x"; builder = "/bin/sh"; system = "s"; __impure = true; }).outPath
