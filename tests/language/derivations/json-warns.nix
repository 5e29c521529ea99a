(derivation { name = "x"; builder = "b"; system = "s"; __json = "{}"; }).drvPath
