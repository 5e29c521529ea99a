(derivation { name = "x.drv"; builder = "b"; system = "s"; }).outPath
