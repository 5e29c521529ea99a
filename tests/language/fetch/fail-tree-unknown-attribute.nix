builtins.fetchTree { type = "github"; owner = "a"; repo = "b"; nope = 1; }
