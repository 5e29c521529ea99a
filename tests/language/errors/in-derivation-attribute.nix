(derivation { name = "n"; builder = "b"; system = "s"; x = throw "attr"; }).drvPath
