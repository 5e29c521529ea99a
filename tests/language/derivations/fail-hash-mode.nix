(derivation { name = "x"; builder = "b"; system = "s"; outputHashMode = "odd"; outputHash = "x"; }).outPath
