builtins.convertHash { hash = "x"; toHashFormat = "nix32"; }
