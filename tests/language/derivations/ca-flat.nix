let d = derivation { name = "x"; builder = "/bin/sh"; system = "s"; __contentAddressed = true; outputHashMode = "flat"; outputHashAlgo = "sha1"; }; in [ d.outPath d.drvPath ]
