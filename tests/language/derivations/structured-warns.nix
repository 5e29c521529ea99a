(derivation { name = "x"; builder = "b"; system = "s"; __structuredAttrs = true; allowedReferences = [ ]; maxSize = 1; }).drvPath
