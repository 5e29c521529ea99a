builtins.add "a" 2
