(derivation { name = "x"; builder = "/bin/sh"; system = "s"; __contentAddressed = true; }).outPath
