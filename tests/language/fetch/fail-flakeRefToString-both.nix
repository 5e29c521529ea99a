builtins.flakeRefToString { type = "github"; owner = "a"; repo = "b"; rev = "x"; ref = "y"; }
