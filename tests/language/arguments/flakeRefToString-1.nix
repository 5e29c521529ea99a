builtins.flakeRefToString { type = [ ]; }
