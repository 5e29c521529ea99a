let a = derivation { name = "a"; system = "s"; builder = "b"; }; in { ${"${a}"} = 1; }
