builtins.toXML [ 1 (-1) 1.5 true null ./x.nix ]
