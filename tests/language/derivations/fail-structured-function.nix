(derivation { name = "x"; builder = "b"; system = "s"; __structuredAttrs = true; a.b = x: x; }).drvPath
