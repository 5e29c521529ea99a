(derivation { name = "x"; builder = "b"; system = "s"; outputHashAlgo = "sha256"; outputHash = ""; }).outPath
