let d = derivation { name = "x"; builder = "b"; system = "s"; self = d; }; in d.outPath
