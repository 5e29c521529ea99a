let d = derivation { name = "x"; builder = "b"; system = "s"; outputs = [ "out" "dev" ]; }; f = builtins.toFile "f" "t"; in builtins.getContext "${d} ${d.dev} ${d.drvPath} ${f}"
