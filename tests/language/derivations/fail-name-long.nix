(derivation { name = builtins.concatStringsSep "" (builtins.genList (i: "0123456789") 22); builder = "b"; system = "s"; }).outPath
