(derivation { name = throw "name"; builder = "b"; system = "s"; }).drvPath
