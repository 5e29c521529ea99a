builtins.path { path = ./tree; nope = 1; }
