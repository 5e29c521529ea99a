let d = derivation { name = "x.drv"; builder = "/bin/sh"; system = "s"; __contentAddressed = true; outputHashMode = "text"; outputHashAlgo = "sha256"; }; in [ d.outPath d.drvPath ]
