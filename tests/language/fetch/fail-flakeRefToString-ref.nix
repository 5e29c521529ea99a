builtins.flakeRefToString { type = "github"; owner = "a"; repo = "b"; ref = "x y"; }
