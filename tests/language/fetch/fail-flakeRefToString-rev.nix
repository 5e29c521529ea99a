builtins.flakeRefToString { type = "indirect"; id = "a"; rev = "x"; }
