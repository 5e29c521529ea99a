builtins.convertHash { hash = "sha256:abcd"; toHashFormat = "sri"; }
