let a = derivation { name = "a"; system = "s"; builder = "b"; }; b = derivation { name = "b"; system = "s"; builder = "b"; x = builtins.unsafeDiscardOutputDependency a.drvPath; }; in b.drvPath
