let d = derivation { name = "x"; builder = "b"; system = "s"; flags = "--prefix=${placeholder "out"} ${placeholder "dev"}"; outputs = [ "out" "dev" ]; }; in d.drvPath
