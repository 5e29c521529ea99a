let d = derivation { name = "x"; builder = "b"; system = "s"; }; c = builtins.getContext "${d}${d.drvPath}"; in builtins.getContext (builtins.appendContext "" c) == c
