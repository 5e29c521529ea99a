builtins.flakeRefToString { type = "gitlab"; owner = "a"; repo = "b"; host = "x y"; }
