builtins.outputOf (derivation { name = "x"; builder = "b"; system = "s"; }).drvPath "out"
