builtins.path { path = ./nothere; }
