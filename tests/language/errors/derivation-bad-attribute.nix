(derivation { name = "a"; system = "s"; builder = "b"; x = x: x; }).drvPath
