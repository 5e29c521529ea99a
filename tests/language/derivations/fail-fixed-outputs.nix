(derivation { name = "x"; builder = "b"; system = "s"; outputs = [ "a" "b" ]; outputHashAlgo = "md5"; outputHash = "d41d8cd98f00b204e9800998ecf8427e"; }).a.outPath
