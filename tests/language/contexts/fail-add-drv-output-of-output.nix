let d = derivation { name = "x"; builder = "b"; system = "s"; }; in builtins.addDrvOutputDependencies "${d}"
